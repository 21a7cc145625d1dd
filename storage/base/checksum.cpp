#include "storage/base/checksum.hpp"

#include <sodium.h>

#include <cstring>

namespace tillsync {

std::uint64_t checksum(ByteView data) {
  static constexpr unsigned char kKey[crypto_shorthash_KEYBYTES] = {};
  unsigned char out[crypto_shorthash_BYTES];
  crypto_shorthash(out, reinterpret_cast<const unsigned char*>(data.data()), data.size(), kKey);
  std::uint64_t value = 0;
  std::memcpy(&value, out, sizeof value);
  return value;
}

}  // namespace tillsync
