// Hybrid logical clock (Kulkarni et al. 2014, "Logical Physical Clocks"): 48 bits of milliseconds, 16 of counter.
// Pure: the caller supplies the wall time, in milliseconds since 1970 UTC, already corrected by the till's known
// offset.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>

namespace tillsync {

struct Hlc {
  std::uint64_t value{};
  auto operator<=>(const Hlc&) const = default;
  std::int64_t millis() const { return static_cast<std::int64_t>(value >> 16); }
  static Hlc at(std::int64_t millis) {
    return Hlc{static_cast<std::uint64_t>(std::max<std::int64_t>(millis, 0)) << 16};
  }
};

class HlcClock {
 public:
  // A remote stamp further ahead than this is not followed: one bad clock must not infect the branch.
  static constexpr std::int64_t kMaxAheadMillis = 5 * 60 * 1000;

  explicit HlcClock(Hlc last = {}) : last_(last) {}

  // The stamp for the next op: greater than every stamp given or followed before.
  Hlc tick(std::int64_t wall_millis) {
    last_ = std::max(Hlc{last_.value + 1}, Hlc::at(wall_millis));
    return last_;
  }

  // Follows a stamp seen from elsewhere. False when it lies too far ahead and was ignored.
  bool observe(Hlc remote, std::int64_t wall_millis) {
    if (remote.millis() > wall_millis + kMaxAheadMillis) return false;
    last_ = std::max(last_, remote);
    return true;
  }

  // After a signed clock_correction op: stamps restart from here. The corrected order still rises
  // (docs/decisions/0004).
  void restart_at(Hlc corrected) { last_ = corrected; }
  Hlc last() const { return last_; }

 private:
  Hlc last_;
};

}  // namespace tillsync
