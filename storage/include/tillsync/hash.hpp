// BLAKE2b-256 digests: the links of a till's hash chain.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <tillsync/bytes.hpp>

namespace tillsync {

struct Hash {
  std::array<std::uint8_t, 32> bytes{};
  auto operator<=>(const Hash&) const = default;
  bool is_zero() const { return *this == Hash{}; }
  ByteView view() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
  std::string hex() const;
  std::string base64() const;  // 43 characters, of the alphabet that is safe in names (RFC 4648, 5)
  std::string short_hex() const { return hex().substr(0, 12); }  // for people: enough to compare by eye
};

Hash blake2b(ByteView data);

}  // namespace tillsync
