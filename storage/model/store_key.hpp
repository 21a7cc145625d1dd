// Keys of LMDB tables: texts end in NUL (names and ids hold none), numbers are big-endian, so byte order is the order
// meant.
#pragma once

#include <cstdint>
#include <tillsync/bytes.hpp>
#include <tillsync/op.hpp>

namespace tillsync {

class StoreKey {
 public:
  StoreKey() { key_.reserve(128); }  // most of them: it need not grow
  StoreKey& text(std::string_view v) {
    key_ += v;
    key_ += '\0';
    return *this;
  }
  StoreKey& number(std::uint64_t v) {
    for (int shift = 56; shift >= 0; shift -= 8) key_ += static_cast<char>(v >> shift);
    return *this;
  }
  StoreKey& chain(const ChainId& chain) { return text(chain.till.text).number(chain.incarnation.value); }
  const Bytes& bytes() const { return key_; }
  operator ByteView() const { return key_; }  // NOLINT(google-explicit-constructor): a key is its bytes

 private:
  Bytes key_;
};

// Takes keys apart again.
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
