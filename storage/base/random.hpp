// Randomness as the cores see it: a seeded generator handed in (splitmix64, Steele et al. 2014). Production seeds it
// from the operating system, the simulator from its one seed. Not for keys.
#pragma once

#include <cstdint>

namespace tillsync {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t n) { return n == 0 ? 0 : next() % n; }
  std::uint64_t nonzero() {
    for (;;) {
      if (const std::uint64_t v = next() >> 1; v != 0) return v;
    }
  }

 private:
  std::uint64_t state_;
};

}  // namespace tillsync
