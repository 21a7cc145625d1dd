#include "transport/api/remote.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include "engine/lone_history.hpp"
#include "storage/base/pack.hpp"
#include "transport/api/json.hpp"
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
      json_ = parse_json(answer->json).value_or(Json());
    } else if (const auto* held = std::get_if<Ack>(&message)) {
      json_ = Json{{"held", bytes_json(pack(held->point))}};
    } else if (const auto* busy = std::get_if<Busy>(&message)) {
      json_ = Json{{"error", "the cloud takes no more just now: try again in " +
                                 std::to_string(busy->after_ms / 1000 + 1) + " s"}};
    } else {
      return;  // a roster, a question about rows: not for a person
    }
    links_->hang_up(id);
  }
  void on_unreadable(PeerId id) override { links_->hang_up(id); }
  void on_down(PeerId) override {}
  const std::optional<Json>& json() const { return json_; }

 private:
  TillId name_;
  Message say_;
  Hello hello_;
  Links* links_ = nullptr;
  std::optional<Json> json_;
};

// Errors: refused, with what the other side said of it; timed_out.
Result<Json> exchange(const TillId& whom, const Address& at, const SecretKey& key, const Roster& roster, Message say) {
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
  const auto& json = asker.json();
  if (json && json->is_object() && json->contains("error")) {
    const std::string sentence = text_of(*json, "error");
    return fail(ErrorKind::refused, sentence.empty() ? kNotUnderstood : sentence);
  }
  if (json && !json->is_object()) return fail(ErrorKind::invalid, kNotUnderstood);
  if (json) return *json;
  if (!refusal.empty()) return fail(ErrorKind::refused, refusal);
  return fail(ErrorKind::timed_out,
              whom.text + " does not answer at " + at.text() + ": check the address, and that it runs");
}

}  // namespace

Result<nlohmann::json> ask_till(const TillId& till, const Address& at, const SecretKey& key, const Roster& roster,
                                const std::string& what) {
  return exchange(till, at, key, roster, Question{1, what, {}});
}

Result<nlohmann::json> ask_conflicts(const TillId& name, const Address& at, const SecretKey& key,
                                     const Roster& roster) {
  Json all = Json::array();
  for (;;) {
    auto page = exchange(name, at, key, roster, Question{1, "conflicts", std::to_string(all.size())});
    if (!page) return page;
    const Json conflicts = page->value("conflicts", Json());
    if (!conflicts.is_array()) return fail(ErrorKind::invalid, kNotUnderstood);
    for (const Json& each : conflicts) {  // made anew from its record: what others wrote may lack any field
      const auto shown = conflict_from(each);
      if (!shown) return fail(ErrorKind::invalid, kNotUnderstood);
      all.push_back(to_json(shown->conflict, shown->stock_now()));
    }
    if (page->value("more", Json()) == true && !conflicts.empty()) continue;
    return Json{{"conflicts", all}, {"rosters", page->value("rosters", Json::object())}};
  }
}

Result<void> push_resolution(const TillId& cloud, const Address& at, const SecretKey& key, const Roster& roster,
                             const OpDraft& draft) {
  const Member* me = roster.find_key(key.public_key().view());
  if (me == nullptr) return fail(ErrorKind::refused, "this key is not in the roster of branch " + roster.branch.text);
  const WireChain chain = WireChain::of(person_chain(me->name, key.public_key()));
  const auto told = exchange(cloud, at, key, roster, HistoryOffer{chain, {}, {}});
  if (!told) return tl::unexpected(told.error());
  const auto last = unpack<ChainPoint>(bytes_from(told->value("held", Json::array()))).value_or(ChainPoint{});
  const OpenedPush push = sign_alone(draft, roster.branch, me->name, key, last, read_clock().wall_ms);
  const auto answer = exchange(cloud, at, key, roster,
                               Push{chain, push.ops.front().op.seq, {Binary(push.ops.front().bytes)}, push.signature});
  if (!answer) return tl::unexpected(answer.error());
  if (bytes_from(answer->value("held", Json::array())) != pack(push.end()))
    return fail(ErrorKind::busy, "somebody else settles something with this key at the moment: try again");
  return {};
}

}  // namespace tillsync
