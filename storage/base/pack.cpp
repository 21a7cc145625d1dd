#include "storage/base/pack.hpp"

namespace tillsync {

namespace {
constexpr int kMaxSkipDepth = 16;
}

bool Reader::take(std::size_t n, ByteView& out) {
  if (!ok_ || in_.size() < n) return reject();
  out = in_.substr(0, n);
  in_.remove_prefix(n);
  return true;
}

bool Reader::big_endian(std::size_t width, std::uint64_t& v) {
  ByteView raw;
  if (!take(width, raw)) return false;
  v = 0;
  for (char c : raw) v = v << 8 | static_cast<std::uint8_t>(c);
  return true;
}

bool Reader::uint(std::uint64_t& v) {
  ByteView tag;
  if (!take(1, tag)) return false;
  const auto type = static_cast<std::uint8_t>(tag[0]);
  if (type < 0x80) return v = type, true;
  if (type < 0xcc || type > 0xcf) return reject();
  const std::size_t width = std::size_t{1} << (type - 0xcc);
  if (!big_endian(width, v)) return false;
  const std::uint64_t smallest[] = {0x80, 0x100, 0x10000, 0x100000000};
  return v >= smallest[type - 0xcc] || reject();
}

bool Reader::sint(std::int64_t& v) {
  if (!ok_ || in_.empty()) return reject();
  const auto type = static_cast<std::uint8_t>(in_[0]);
  if (type >= 0xe0) {
    v = static_cast<std::int64_t>(type) - 256;
    in_.remove_prefix(1);
    return true;
  }
  if (type < 0xd0 || type > 0xd3) {
    std::uint64_t positive = 0;
    if (!uint(positive)) return false;
    v = static_cast<std::int64_t>(positive);
    return v >= 0 || reject();
  }
  in_.remove_prefix(1);
  const unsigned bits = 8U << (type - 0xd0);
  std::uint64_t raw = 0;
  if (!big_endian(bits / 8, raw)) return false;
  v = static_cast<std::int64_t>(raw << (64 - bits)) >> (64 - bits);
  const std::int64_t largest[] = {-33, -129, -32769, -2147483649LL};  // less would fit the next smaller form
  return v <= largest[type - 0xd0] || reject();
}

bool Reader::boolean(bool& v) {
  ByteView tag;
  if (!take(1, tag)) return false;
  const auto type = static_cast<std::uint8_t>(tag[0]);
  if (type != 0xc2 && type != 0xc3) return reject();
  v = type == 0xc3;
  return true;
}

bool Reader::text(std::string_view& v) {
  ByteView tag;
  if (!take(1, tag)) return false;
  const auto type = static_cast<std::uint8_t>(tag[0]);
  std::uint64_t n = 0;
  if (type >= 0xa0 && type <= 0xbf) return take(type & 0x1fU, v);
  if (type < 0xd9 || type > 0xdb) return reject();
  if (!big_endian(std::size_t{1} << (type - 0xd9), n)) return false;
  const std::uint64_t smallest[] = {32, 0x100, 0x10000};
  return n >= smallest[type - 0xd9] ? take(n, v) : reject();
}

bool Reader::bin(ByteView& v) {
  ByteView tag;
  if (!take(1, tag)) return false;
  const auto type = static_cast<std::uint8_t>(tag[0]);
  std::uint64_t n = 0;
  if (type < 0xc4 || type > 0xc6) return reject();
  if (!big_endian(std::size_t{1} << (type - 0xc4), n)) return false;
  const std::uint64_t smallest[] = {0, 0x100, 0x10000};
  return n >= smallest[type - 0xc4] ? take(n, v) : reject();
}

bool Reader::header(std::uint8_t fix, std::uint8_t wide, std::size_t& n) {
  ByteView tag;
  if (!take(1, tag)) return false;
  const auto type = static_cast<std::uint8_t>(tag[0]);
  std::uint64_t count = 0;
  if ((type & 0xf0U) == fix) {
    count = type & 0x0fU;
  } else if (type == wide || type == wide + 1) {
    if (!big_endian(type == wide ? 2 : 4, count)) return false;
    if (count < (type == wide ? 16U : 0x10000U)) return reject();
  } else {
    return reject();
  }
  if (count > in_.size()) return reject();  // each element takes a byte at least: a lie about the size ends here
  n = count;
  return true;
}

bool Reader::skip(int depth) {
  if (!ok_ || in_.empty() || depth > kMaxSkipDepth) return reject();
  const auto type = static_cast<std::uint8_t>(in_[0]);
  std::size_t n = 0;
  ByteView ignored;
  std::int64_t number = 0;
  if ((type & 0xf0U) == 0x90 || type == 0xdc || type == 0xdd) {
    if (!array(n)) return false;
    while (n-- > 0 && skip(depth + 1)) {
    }
    return ok_;
  }
  if ((type & 0xf0U) == 0x80 || type == 0xde || type == 0xdf) {
    if (!map(n)) return false;
    while (n-- > 0 && skip(depth + 1) && skip(depth + 1)) {
    }
    return ok_;
  }
  if (type >= 0xc4 && type <= 0xc6) return bin(ignored);
  if ((type >= 0xa0 && type <= 0xbf) || (type >= 0xd9 && type <= 0xdb)) return text(ignored);
  if (type == 0xc0 || type == 0xc2 || type == 0xc3) return take(1, ignored);
  if (type == 0xca) return take(5, ignored);
  if (type == 0xcb) return take(9, ignored);
  if (type == 0xcf) return take(9, ignored);
  return sint(number);
}

}  // namespace tillsync
