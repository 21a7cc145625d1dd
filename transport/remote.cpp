#include "transport/remote.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

namespace tillsync {

namespace {

class Asker final : public LinkOwner {
 public:
  Asker(TillId name, BranchId branch, std::string what)
      : name_(std::move(name)), branch_(std::move(branch)), what_(std::move(what)) {}

  void use(Links& links) { links_ = &links; }
  Hello hello_to(const TillId*) override {
    Hello hello;
    hello.name = name_;
    hello.branch = branch_;
    return hello;
  }
  Result<PeerInfo> admit(const noise::Key&, const Hello& hello) override {  // its key was proved by the handshake
    return PeerInfo{hello.name, Role::till, hello, {}, {}};
  }
  void on_up(PeerId id, const PeerInfo&) override { links_->send(id, Question{1, what_}); }
  void on_message(PeerId id, Message message) override {
    const auto* answer = std::get_if<Answer>(&message);
    if (answer == nullptr) return;
    json_ = nlohmann::json::parse(answer->json, nullptr, false);
    links_->hang_up(id);
  }
  void on_unreadable(PeerId id) override { links_->hang_up(id); }
  void on_down(PeerId) override {}
  std::optional<nlohmann::json> json() const { return json_; }

 private:
  TillId name_;
  BranchId branch_;
  std::string what_;
  Links* links_ = nullptr;
  std::optional<nlohmann::json> json_;
};

}  // namespace

Result<nlohmann::json> ask_till(const TillId& till, const Address& at, const SecretKey& key, const Roster& roster,
                                const std::string& what) {
  const Member* me = roster.find_key(key.public_key().view());
  const Member* other = roster.find(till);
  if (me == nullptr)
    return fail(ErrorKind::refused,
                "this key is in no place of the roster: add it with 'tillsync roster add --role manager'");
  const auto theirs = other == nullptr ? std::nullopt : PublicKey::from_bytes(other->key)->x25519();
  if (!theirs) return fail(ErrorKind::refused, "the roster has no till named " + till.text);
  asio::io_context io;
  Asker asker(me->name, roster.branch, what);
  std::string refusal;
  Links links(io, noise::KeyPair::of(key.x25519()), asker, [&](const Notice& n) { refusal = n.text; });
  asker.use(links);
  asio::co_spawn(io, links.dial(till, *theirs, at), asio::detached);
  io.run_for(seconds(10));
  if (const auto json = asker.json(); json && !json->is_discarded()) return *json;
  if (!refusal.empty()) return fail(ErrorKind::refused, refusal);
  return fail(ErrorKind::timed_out,
              till.text + " does not answer at " + at.text() + ": check the address, and that it runs");
}

}  // namespace tillsync
