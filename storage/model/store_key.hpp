// Keys of the stores. Those of LMDB tables: texts end in NUL (names and ids hold none), numbers are big-endian, so byte
// order is the order meant.
//
// Texts come from outside, and a database refuses long keys. So whatever a key is made of is bounded here: a text that
// is too long is replaced by its head and its hash.
#pragma once

#include <algorithm>
#include <cstdint>
#include <tillsync/bytes.hpp>
#include <tillsync/hash.hpp>
#include <tillsync/op.hpp>

namespace tillsync {

constexpr std::size_t kLongestLmdbKey = 511;   // LMDB is built with this limit
constexpr std::size_t kLongestIndexed = 2000;  // PostgreSQL: an index entry has a third of a page, 2,704 bytes, at most
constexpr std::size_t kHashText = 43;          // Hash::base64()

// A text of fewer than `most` bytes as it is. Any other becomes `most` bytes exactly, so that it is the same as no
// other text. `most`: kHashText or more.
inline void append_bounded(Bytes& to, ByteView text, std::size_t most) {
  if (text.size() < most) {
    to += text;
  } else {
    to.append(text.substr(0, most - kHashText)).append(blake2b(text).base64());
  }
}
inline Bytes bounded(ByteView text, std::size_t most) {
  Bytes out;
  append_bounded(out, text, most);
  return out;
}

// A key of an LMDB table that is one text and nothing else. LMDB has no empty keys.
inline Bytes lone_key(ByteView text) { return text.empty() ? Bytes(1, '\0') : bounded(text, kLongestLmdbKey); }

class StoreKey {
 public:
  StoreKey() { key_.reserve(128); }  // most of them: it need not grow
  // Three more texts and three numbers may follow.
  StoreKey& text(std::string_view v) { return add(v, kLongestLmdbKey - 3 * (kHashText + 1) - 3 * 8); }
  StoreKey& last_text(std::string_view v) { return add(v, kLongestLmdbKey); }
  StoreKey& number(std::uint64_t v) {
    for (int shift = 56; shift >= 0; shift -= 8) key_ += static_cast<char>(v >> shift);
    return *this;
  }
  StoreKey& chain(const ChainId& chain) { return text(chain.till.text).number(chain.incarnation.value); }
  const Bytes& bytes() const { return key_; }
  operator ByteView() const { return key_; }  // NOLINT(google-explicit-constructor): a key is its bytes

 private:
  StoreKey& add(std::string_view v, std::size_t up_to) {
    append_bounded(key_, v, std::max(up_to - 1, key_.size() + kHashText) - key_.size());
    key_ += '\0';
    return *this;
  }

  Bytes key_;
};

// Takes keys apart again. A text that was too long is read as what stands for it.
class StoreKeyReader {
 public:
  explicit StoreKeyReader(ByteView key) : rest_(key) {}
  std::string text() {
    const std::size_t end = rest_.find('\0');
    std::string v(rest_.substr(0, end));
    rest_.remove_prefix(end == ByteView::npos ? rest_.size() : end + 1);
    return v;
  }
  std::uint64_t number() {
    std::uint64_t v = 0;
    for (char c : rest_.substr(0, 8)) v = v << 8 | static_cast<std::uint8_t>(c);
    rest_.remove_prefix(rest_.size() < 8 ? rest_.size() : 8);
    return v;
  }
  ChainId chain() {
    ChainId chain;
    chain.till.text = text();
    chain.incarnation.value = number();
    return chain;
  }

 private:
  ByteView rest_;
};

inline bool starts_with(ByteView key, ByteView prefix) { return key.substr(0, prefix.size()) == prefix; }

}  // namespace tillsync
