// A member of the roster that means harm: it connects to tills with a till's own key and sends what it likes.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

#include "tests/network/lan_shop.hpp"
#include "transport/net/noise/handshake.hpp"

namespace tillsync::test {

// Runs in the network namespace of that till, in this process, until it goes.
class Hostile {
 public:
  enum class Way {
    campaigns,  // PreVote and RequestGrant in ever higher terms, signed
    lies,       // about how far histories go, what the cloud holds, stock, rows; and sends the largest that is allowed
    crowds,     // a thousand connections, each as soon as one of them ends; half of them never say a word
    is_deaf,    // asks without end, and never reads an answer
  };
  Hostile(LanShop& shop, int as_till, Way way);
  ~Hostile();
  std::uint64_t sent() const { return sent_; }  // messages, or connections

 private:
  void run(Way way);
  void talk(Way way);
  void crowd();
  void ask_deafly(int whom);
  bool shake_hands(int socket, int whom, noise::Handshake& shake);
  int dial(int whom);

  LanShop& shop_;
  int self_;
  SecretKey key_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint64_t> sent_ = 0;
  std::thread thread_;
};

}  // namespace tillsync::test
