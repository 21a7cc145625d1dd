// What a hostile member says, over links that are as they should be.
#pragma once

#include <atomic>
#include <set>

#include "storage/base/random.hpp"
#include "transport/net/links.hpp"

namespace tillsync::test {

class Liar final : public LinkOwner {
 public:
  struct Self {
    TillId name;
    SecretKey key;
    Roster roster;
  };
  Liar(Self self, std::atomic<std::uint64_t>& sent) : self_(std::move(self)), sent_(sent) {}
  void use(Links& links) { links_ = &links; }

  void campaign();
  void lie();

  Hello hello_to(const TillId*) override;
  Result<PeerInfo> admit(const noise::Key&, const Hello& hello) override {
    return PeerInfo{hello.name, Role::till, hello, {}, {}, {}};
  }
  void on_up(PeerId id, const PeerInfo&) override { up_.insert(id); }
  void on_message(PeerId, Message message) override;
  void on_unreadable(PeerId) override {}
  void on_down(PeerId id) override { up_.erase(id); }

 private:
  Message a_lie();
  Message the_largest();

  Self self_;
  std::atomic<std::uint64_t>& sent_;
  Links* links_ = nullptr;
  std::set<PeerId> up_;
  std::uint64_t term_ = 0;
  Random dice_{4711};
  std::vector<HistoryOffer> offers_;  // of others, as the host heard them
};

}  // namespace tillsync::test
