// An Ethernet switch in user space, for tests on real networks: every host is a network namespace of its own with one
// TAP interface, and what passes between any two of them can be cut (one way too), delayed or lost, and multicast
// blocked. It needs no kernel module for that, and counts every byte.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <queue>
#include <random>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

namespace tillsync::test {

struct Wire {  // one way, from one host to another
  bool cut = false;
  std::chrono::milliseconds delay{};
  double loss = 0;  // 0 to 1
};

class Switch {
 public:
  Switch();
  ~Switch();  // takes the namespaces away
  Switch(const Switch&) = delete;
  Switch& operator=(const Switch&) = delete;

  static std::string unusable();  // why namespaces can't be made here; empty when they can

  int add_host();  // the first is 0; its address is address(0)
  std::string address(int host) const { return "10.77.0." + std::to_string(host + 1); }
  std::string space(int host) const { return prefix_ + std::to_string(host); }  // the namespace's name
  void wire(int from, int to, Wire wire);
  void both_ways(const std::vector<int>& some, const std::vector<int>& others, Wire wire);
  void mend();                                      // every wire is whole again
  void block_multicast() { no_multicast_ = true; }  // everywhere, from now on

  std::uint64_t bytes_sent(int host) const { return sent_[static_cast<std::size_t>(host)]; }

 private:
  using Clock = std::chrono::steady_clock;
  using Frame = std::vector<std::uint8_t>;
  struct Delayed {
    Clock::time_point due;
    std::uint64_t number;  // keeps the order
    int to;
    Frame frame;
    bool operator>(const Delayed& other) const { return std::tie(due, number) > std::tie(other.due, other.number); }
  };
  static constexpr std::size_t kMostHosts = 64;
  void run();
  void forward(int from, const Frame& frame);
  void pass(int from, int to, const Frame& frame, bool multicast);
  void deliver_due();

  std::string prefix_;
  std::vector<int> taps_;
  std::map<std::array<std::uint8_t, 6>, int> learned_;
  std::mutex mutex_;  // over what the tests change: hosts and wires
  std::map<std::pair<int, int>, Wire> wires_;
  std::priority_queue<Delayed, std::vector<Delayed>, std::greater<>> delayed_;
  std::uint64_t number_ = 0;
  std::mt19937_64 dice_{7};
  std::array<std::atomic<std::uint64_t>, kMostHosts> sent_{};
  std::atomic<bool> no_multicast_ = false;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace tillsync::test
