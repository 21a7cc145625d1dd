// Keys for tests: the same number, the same key.
#pragma once

#include <array>
#include <cstdint>

#include "lease/keys.hpp"

namespace tillsync::test {

inline SecretKey key_number(std::uint8_t n) {
  std::array<std::uint8_t, 32> seed{};
  seed[0] = n;
  return SecretKey::from_seed(seed);
}

}  // namespace tillsync::test
