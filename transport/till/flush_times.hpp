// How long the journal's flushes took: a histogram that one thread fills and others read.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <tillsync/time.hpp>

namespace tillsync {

class FlushTimes {
 public:
  static constexpr std::array<double, 10> kUpTo = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2};  // s

  void add(Duration took) {
    const double s = std::chrono::duration<double>(took).count();
    std::size_t i = 0;
    while (i < kUpTo.size() && s > kUpTo[i]) ++i;
    ++counts_[i];
    sum_us_ += static_cast<std::uint64_t>(s * 1e6);
  }
  std::uint64_t count(std::size_t bucket) const { return counts_[bucket]; }  // of its own; the last: beyond all
  double sum_s() const { return static_cast<double>(sum_us_) / 1e6; }

 private:
  std::array<std::atomic<std::uint64_t>, kUpTo.size() + 1> counts_{};
  std::atomic<std::uint64_t> sum_us_ = 0;
};

}  // namespace tillsync
