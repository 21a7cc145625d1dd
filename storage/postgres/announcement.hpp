// What one process announces to the others through the database (LISTEN, NOTIFY): that somebody's feed has changed. A
// payload of NOTIFY is text, so it is the usual encoding in hexadecimal.
#pragma once

#include <sodium.h>

#include "storage/base/pack.hpp"

namespace tillsync::postgres {

struct Announcement {
  std::string process, tenant, what;
  template <class A>
  void fields(A& a) {
    a(process, tenant, what);
  }
};

inline std::string encode_announcement(const Announcement& announcement) {
  const Bytes packed = pack(announcement);
  std::string hex(packed.size() * 2 + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), reinterpret_cast<const unsigned char*>(packed.data()), packed.size());
  hex.pop_back();
  return hex;
}

inline std::optional<Announcement> decode_announcement(const std::string& hex) {
  Bytes packed(hex.size() / 2, '\0');
  std::size_t size = 0;
  if (sodium_hex2bin(reinterpret_cast<unsigned char*>(packed.data()), packed.size(), hex.data(), hex.size(), nullptr,
                     &size, nullptr) != 0)
    return std::nullopt;
  return unpack<Announcement>(ByteView(packed).substr(0, size));
}

}  // namespace tillsync::postgres
