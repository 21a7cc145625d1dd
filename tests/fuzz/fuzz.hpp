// What the fuzz targets share. Each is one function that takes whatever bytes there are: it may refuse them, but never
// crash, hang, or believe what it did not check. libFuzzer drives it, or replay.cpp where there is none.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <tillsync/bytes.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace tillsync::fuzz {

// The bytes of one run, taken apart into decisions and content.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : left_(reinterpret_cast<const char*>(data), size) {}

  bool empty() const { return left_.empty(); }
  std::uint8_t byte() { return static_cast<std::uint8_t>(take(1).append(1, '\0')[0]); }
  std::uint32_t number() { return byte() | byte() << 8 | byte() << 16; }
  Bytes take(std::size_t n) {
    const Bytes out(left_.substr(0, n));
    left_.remove_prefix(std::min(n, left_.size()));
    return out;
  }
  ByteView rest() const { return left_; }

 private:
  ByteView left_;
};

inline void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

}  // namespace tillsync::fuzz
