// The checksum over a key and its value that stands before every value in LMDB: XXH3, 64 bits. Like all checksums here
// it finds damage, not malice. One goes over everything that is read or written, which is why it is not SipHash;
// databases that were made with that keep it (docs/decisions/0029).
#pragma once

#include <cstdint>
#include <tillsync/bytes.hpp>

namespace tillsync::lmdb {

class Seal {
 public:
  enum class By { xxh3, siphash };
  explicit Seal(By by) : by_(by) {}
  std::uint64_t of(ByteView key, ByteView value);

 private:
  By by_;
  Bytes both_;  // SipHash wants them side by side
};

}  // namespace tillsync::lmdb
