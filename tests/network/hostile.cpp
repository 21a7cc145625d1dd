#include "tests/network/hostile.hpp"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/steady_timer.hpp>

#include "transport/links.hpp"
#include "transport/settings.hpp"

namespace tillsync::test {

namespace {

class Campaigner final : public LinkOwner {
 public:
  Campaigner(TillId name, SecretKey key, Roster roster, std::atomic<std::uint64_t>& sent)
      : name_(std::move(name)), key_(key), roster_(std::move(roster)), sent_(sent) {}
  void use(Links& links) { links_ = &links; }
  Hello hello_to(const TillId*) override {
    Hello hello;
    hello.name = name_;
    hello.branch = roster_.branch;
    hello.run = 666;
    return hello;
  }
  Result<PeerInfo> admit(const noise::Key&, const Hello& hello) override {
    return PeerInfo{hello.name, Role::till, hello, {}, {}};
  }
  void on_up(PeerId id, const PeerInfo&) override { up_.insert(id); }
  void on_message(PeerId, Message) override {}
  void on_unreadable(PeerId) override {}
  void on_down(PeerId id) override { up_.erase(id); }
  void campaign() {
    const Ballot ballot{roster_.branch, Term{100 + ++term_}, name_, term_, roster_.lease_ms, 0, roster_.version};
    for (PeerId id : std::set<PeerId>(up_)) {
      links_->send(id, PreVote{ballot});
      links_->send(id, RequestGrant{ballot, Binary(key_.sign(ballot.grant_bytes(name_)))});
      sent_ += 2;
    }
  }

 private:
  TillId name_;
  SecretKey key_;
  Roster roster_;
  std::atomic<std::uint64_t>& sent_;
  Links* links_ = nullptr;
  std::set<PeerId> up_;
  std::uint64_t term_ = 0;
};

SecretKey stolen_key(const std::string& folder) {
  std::string text = cli::require(read_file(folder + "/identity.key"));
  text.resize(64);
  return cli::require(SecretKey::from_hex(text));
}

}  // namespace

Hostile::Hostile(LanShop& shop, int as_till) : shop_(shop), self_(as_till), thread_([this] { run(); }) {}

Hostile::~Hostile() {
  stopping_ = true;
  thread_.join();
}

void Hostile::run() {
  const int ns = ::open(("/run/netns/" + shop_.lan().space(self_)).c_str(), O_RDONLY);
  if (ns < 0 || ::setns(ns, CLONE_NEWNET) != 0) return;
  ::close(ns);
  const SecretKey key = stolen_key(shop_.folder(self_));
  asio::io_context io;
  Campaigner campaigner(TillId{shop_.name(self_)}, key, shop_.roster(), sent_);
  Links links(io, noise::KeyPair::of(key.x25519()), campaigner, [](const Notice&) {});
  campaigner.use(links);
  for (int i = 0; i < shop_.tills(); ++i) {
    const Member* member = i == self_ ? nullptr : shop_.roster().find(TillId{shop_.name(i)});
    if (member == nullptr) continue;
    asio::co_spawn(
        io, links.dial(member->name, *PublicKey::from_bytes(member->key)->x25519(), {shop_.lan().address(i), 7700}),
        asio::detached);
  }
  while (!stopping_) {
    io.run_for(std::chrono::milliseconds(5));
    io.restart();
    campaigner.campaign();
  }
  links.close();
  io.run_for(std::chrono::milliseconds(100));
}

}  // namespace tillsync::test
