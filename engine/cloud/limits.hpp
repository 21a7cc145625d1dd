// How much a till, and a branch, may send: so many ops and bytes a second, with a burst that takes a backlog of days at
// once. Counted by the generic cell rate algorithm (ITU-T I.371): one instant each, and no timers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tillsync/ids.hpp>
#include <tillsync/time.hpp>

#include "storage/model/branch_key.hpp"

namespace tillsync {

struct Allowance {
  std::uint64_t per_second = 0, burst = 0;
};

struct RateLimits {
  Allowance till_ops{20'000, 500'000}, branch_ops{50'000, 1'000'000};
  Allowance till_bytes{16 << 20, 512 << 20}, branch_bytes{64 << 20, 1024 << 20};
  Allowance messages{5'000, 20'000};  // of one connection: beyond it, it is let go
};

class Meter {
 public:
  // How long until `amount` may come; zero: now. More than a burst may come when the whole burst is free.
  Duration wait(Instant now, const Allowance& allowed, std::uint64_t amount) const;
  void take(Instant now, const Allowance& allowed, std::uint64_t amount);
  bool idle(Instant now) const { return full_at_ <= now; }

 private:
  Instant full_at_;  // when nothing of the burst is used any more
};

class Limits {
 public:
  explicit Limits(RateLimits limits = {}) : limits_(limits) {}
  const RateLimits& rates() const { return limits_; }

  // Zero: it is counted, and welcome. Otherwise when to come back; nothing is counted.
  Duration take(Instant now, const BranchKey& branch, const TillId& till, std::uint64_t ops, std::uint64_t bytes);

 private:
  struct Meters {
    Meter ops, bytes;
  };
  void forget_idle(Instant now);
  RateLimits limits_;
  std::map<std::pair<BranchKey, std::string>, Meters> meters_;  // by till; of the branch itself: no name
  std::size_t forget_at_ = 1024;
};

}  // namespace tillsync
