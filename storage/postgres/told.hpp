// What one process tells the others through the database (LISTEN, NOTIFY): the payload is text, so it is hex of the
// usual encoding.
#pragma once

#include <sodium.h>

#include "storage/base/pack.hpp"

namespace tillsync::postgres {

struct Told {
  std::string process, tenant, what;
  template <class A>
  void fields(A& a) {
    a(process, tenant, what);
  }
};

inline std::string encode_told(const Told& told) {
  const Bytes packed = pack(told);
  std::string hex(packed.size() * 2 + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), reinterpret_cast<const unsigned char*>(packed.data()), packed.size());
  hex.pop_back();
  return hex;
}

inline std::optional<Told> decode_told(const std::string& hex) {
  Bytes packed(hex.size() / 2, '\0');
  std::size_t size = 0;
  if (sodium_hex2bin(reinterpret_cast<unsigned char*>(packed.data()), packed.size(), hex.data(), hex.size(), nullptr,
                     &size, nullptr) != 0)
    return std::nullopt;
  return unpack<Told>(ByteView(packed).substr(0, size));
}

}  // namespace tillsync::postgres
