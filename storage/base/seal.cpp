#include "storage/base/seal.hpp"

#include <xxhash.h>

#include <array>

#include "storage/base/checksum.hpp"

namespace tillsync::lmdb {

std::uint64_t Seal::of(ByteView key, ByteView value) {
  if (by_ == By::siphash) {
    both_.assign(key);
    both_ += value;
    return checksum(both_);
  }
  const std::array<std::uint64_t, 2> parts{XXH3_64bits(key.data(), key.size()),
                                           XXH3_64bits(value.data(), value.size())};
  return XXH3_64bits(parts.data(), sizeof parts);
}

}  // namespace tillsync::lmdb
