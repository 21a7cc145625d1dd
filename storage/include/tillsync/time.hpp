// Time as the cores see it: handed in by whoever drives them, never read. `mono` is CLOCK_BOOTTIME, so it goes on while
// the machine is suspended; `wall_ms` is UTC in milliseconds since 1970 as this machine believes it.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace tillsync {

using Duration = std::chrono::nanoseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Instant {
  Duration since_boot{};
  auto operator<=>(const Instant&) const = default;
  friend Instant operator+(Instant at, Duration d) { return {at.since_boot + d}; }
  friend Instant operator-(Instant at, Duration d) { return {at.since_boot - d}; }
  friend Duration operator-(Instant a, Instant b) { return a.since_boot - b.since_boot; }
};

struct Now {
  Instant mono;
  std::int64_t wall_ms = 0;
};

inline std::int64_t to_ms(Duration d) { return std::chrono::duration_cast<milliseconds>(d).count(); }

}  // namespace tillsync
