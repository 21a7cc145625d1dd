// A branch whose tills are real processes, each in a network namespace of its own, on one switch, found by real
// multicast; and a cloud beyond it. Tests cut wires, kill processes and ask whoever runs.
#pragma once

#include <cstdlib>
#include <functional>
#include <memory>

#include "tests/integration/support.hpp"
#include "tests/network/switch.hpp"
#include "tools/demo/fleet.hpp"

namespace tillsync::test {

class LanShop {
 public:
  struct Plan {
    int tills = 3;
    std::uint32_t lease_ms = 1000;
    bool witness = false;  // the cloud has a vote
    bool cloud = true;
    bool mdns = ::getenv("TILLSYNC_NO_MDNS") == nullptr;  // false: multicast is blocked, `peers` are configured
    bool clocks = false;                                  // their wall clocks can be set
    int spare = 0;                                        // further tills that are set up, and in no roster yet
  };
  explicit LanShop(const Plan& plan);
  ~LanShop();

  Switch& lan() { return switch_; }
  int tills() const { return static_cast<int>(members_.size()); }
  client::Process& till(int i) { return members_[static_cast<std::size_t>(i)]; }
  client::Process& cloud() { return *cloud_; }
  int cloud_host() const { return cloud_host_; }
  std::string folder(int i) const { return root_ / ("till-" + std::to_string(i + 1)); }
  std::string name(int i) const { return "till-" + std::to_string(i + 1); }
  const Folder& root() const { return root_; }
  const Roster& roster() const { return roster_; }
  Binary key_of(int i) const;
  void set_clock(int i, int seconds_off);
  void hand_out(int to, const std::function<void(Roster&)>& change);  // the next version, to one till

  template <class R>
  api::AnswerTo<R> ask(int i, const R& request) {
    return client::require(client_of(i).ask(request));
  }
  api::LeaseAnswer lease(int i) { return ask(i, api::LeaseRequest{}); }
  Receipt sell(int i, int count = 1);  // each is acknowledged; the last one's receipt
  int sold() const { return sold_; }

  // Who holds an exclusive lease by his own word, of those that run.
  std::vector<int> exclusive_holders();
  std::optional<int> host();  // the one exclusive holder whom all that run follow
  int the_host();             // waits until there is one; is required to
  bool until(std::chrono::milliseconds limit, const std::function<bool()>& done);
  bool settled();  // one host, all queues empty
  void settles();  // is required to, and then every sale is in the cloud once
  int in_cloud();  // sales that took effect there

  void pause(int i) { till(i).pause(), paused_.insert(i); }
  void resume(int i) { till(i).resume(), paused_.erase(i); }
  void kill(int i);
  void start(int i) { till(i).start(); }

 private:
  void make_till(int i, const Plan& plan);
  ControlClient& client_of(int i);
  bool answers(int i) { return till(i).running() && !paused_.contains(i); }
  Folder root_;
  Switch switch_;
  SecretKey tenant_;
  Roster roster_;
  std::vector<client::Process> members_;
  std::unique_ptr<client::Process> cloud_;
  int cloud_host_ = -1;
  std::map<int, ControlClient> clients_;
  std::set<int> paused_;
  int sold_ = 0;
};

// Skips the test, with a message, where namespaces can't be made.
bool namespaces_here();

}  // namespace tillsync::test
