// A member of the roster that means harm: it connects to tills with a till's own key and sends what it likes.
#pragma once

#include <map>

#include "tests/network/lan_shop.hpp"

namespace tillsync::test {

// Runs in the network namespace of that till, in this process, until it goes.
class Hostile {
 public:
  Hostile(LanShop& shop, int as_till);
  ~Hostile();
  // To everybody, again and again: PreVote and RequestGrant in ever higher terms, signed.
  std::uint64_t sent() const { return sent_; }

 private:
  void run();
  LanShop& shop_;
  int self_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint64_t> sent_ = 0;
  std::thread thread_;
};

}  // namespace tillsync::test
