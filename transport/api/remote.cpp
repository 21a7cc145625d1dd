#include "transport/api/remote.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include "engine/lone_history.hpp"
#include "storage/base/pack.hpp"
#include "transport/api/errors.hpp"
#include "transport/api/views.hpp"
#include "transport/base/clock.hpp"

namespace tillsync {

namespace {

constexpr const char* kNotUnderstood = "what came back is not understood: is it another release?";

// Says one thing, and waits for one answer.
class Asker final : public LinkOwner {
 public:
  Asker(TillId name, const TillId& whom, const Roster& roster, Message say)
      : name_(std::move(name)), say_(std::move(say)) {
    hello_.name = name_;
    hello_.branch = roster.branch;
    const Member* cloud = roster.cloud();  // which serves many branches, and wants to be shown the one that is meant
    if (cloud != nullptr && cloud->name == whom) hello_.roster = Binary(roster.encoded());
  }

  void use(Links& links) { links_ = &links; }
  Hello hello_to(const TillId*) override { return hello_; }
  Result<PeerInfo> admit(const noise::Key&, const Hello& hello) override {  // its key was proved by the handshake
    return PeerInfo{hello.name, Role::till, hello, {}, {}, {}};
  }
  void on_up(PeerId id, const PeerInfo&) override { links_->send(id, say_); }
  void on_message(PeerId id, Message message) override {
    if (const auto* answer = std::get_if<Answer>(&message)) {
      heard_ = api::heard(answer->json);
    } else if (const auto* held = std::get_if<Ack>(&message)) {
      heard_ = Json(), held_ = held->point;
    } else if (const auto* busy = std::get_if<Busy>(&message)) {
      heard_ = fail(ErrorKind::busy, "the cloud takes no more just now: try again in " +
                                         std::to_string(busy->after_ms / 1000 + 1) + " s");
    } else {
      return;  // a roster, a question about rows: not for a person
    }
    links_->hang_up(id);
  }
  void on_unreadable(PeerId id) override { links_->hang_up(id); }
  void on_down(PeerId) override {}
  const std::optional<Result<Json>>& heard() const { return heard_; }
  const ChainPoint& held() const { return held_; }  // of the history that was offered or pushed

 private:
  TillId name_;
  Message say_;
  Hello hello_;
  Links* links_ = nullptr;
  std::optional<Result<Json>> heard_;
  ChainPoint held_;
};

struct Heard {
  Json json;
  ChainPoint held;
};

// Errors: as the other side says; refused; timed_out.
Result<Heard> exchange(const Remote& remote, Message say) {
  const auto& [whom, at, key, roster] = remote;
  const Member* me = roster.find_key(key.public_key().view());
  const Member* other = roster.find(whom);
  if (me == nullptr)
    return fail(ErrorKind::refused,
                "this key is in no place of the roster: add it with 'tillsync roster add --role manager'");
  const auto theirs = other == nullptr ? std::nullopt : PublicKey::from_bytes(other->key)->x25519();
  if (!theirs) return fail(ErrorKind::refused, "the roster has no member named " + whom.text);
  asio::io_context io;
  Asker asker(me->name, whom, roster, std::move(say));
  std::string refusal;
  Links links(io, noise::KeyPair::of(key.x25519()), asker, [&](const Notice& n) { refusal = n.text; });
  asker.use(links);
  asio::co_spawn(io, links.dial(whom, *theirs, at), asio::detached);
  io.run_for(seconds(10));
  if (const auto& heard = asker.heard())
    return *heard ? Result<Heard>(Heard{**heard, asker.held()}) : tl::unexpected(heard->error());
  if (!refusal.empty()) return fail(ErrorKind::refused, refusal);
  return fail(ErrorKind::timed_out,
              whom.text + " does not answer at " + at.text() + ": check the address, and that it runs");
}

}  // namespace

Result<Json> ask_by_message(const Remote& remote, const Question& question) {
  auto heard = exchange(remote, question);
  if (!heard) return tl::unexpected(std::move(heard.error()));
  return std::move(heard->json);
}

Result<api::ConflictsPage> ask_conflicts(const Remote& remote) {
  api::ConflictsPage all;
  for (bool more = true; more;) {
    auto page = api::answer_from<api::ConflictsPage>(
        ask_by_message(remote, api::in_message("conflicts_page", all.conflicts.size())));
    if (!page) return page;
    for (const api::ConflictView& each : page->conflicts) {  // made anew from its record: the rest may be anything
      const auto shown = api::conflict_of(each);
      if (!shown) return fail(ErrorKind::invalid, kNotUnderstood);
      all.conflicts.push_back(api::view_of(shown->conflict, shown->stock_now()));
    }
    all.rosters = std::move(page->rosters);
    more = page->more && !page->conflicts.empty();
  }
  return all;
}

Result<void> push_resolution(const Remote& cloud, const OpDraft& draft) {
  const Member* me = cloud.roster.find_key(cloud.key.public_key().view());
  if (me == nullptr)
    return fail(ErrorKind::refused, "this key is not in the roster of branch " + cloud.roster.branch.text);
  const WireChain chain = WireChain::of(person_chain(me->name, cloud.key.public_key()));
  const auto told = exchange(cloud, HistoryOffer{chain, {}, {}});
  if (!told) return tl::unexpected(told.error());
  const OpenedPush push = sign_alone(draft, cloud.roster.branch, me->name, cloud.key, told->held, read_clock().wall_ms);
  const auto answer =
      exchange(cloud, Push{chain, push.ops.front().op.seq, {Binary(push.ops.front().bytes)}, push.signature});
  if (!answer) return tl::unexpected(answer.error());
  if (answer->held != push.end())
    return fail(ErrorKind::busy, "somebody else settles something with this key at the moment: try again");
  return {};
}

}  // namespace tillsync
