// Canonical MessagePack. Writing is MessagePack for C++ (it always picks the smallest form); reading is a pull reader
// that also refuses every form that is not the smallest, since ops are hashed: one value, one encoding
// (docs/decisions/0002).
//
// A type takes part by listing its fields once:
//   template <class A> void fields(A& a) { a(till, incarnation, seq); }
#pragma once

#include <cstdint>
#include <map>
#include <msgpack/pack.hpp>
#include <optional>
#include <tillsync/hash.hpp>
#include <tillsync/hlc.hpp>
#include <tillsync/ids.hpp>
#include <vector>

#include "storage/base/later.hpp"

namespace tillsync {

class Packer {
 public:
  explicit Packer(Bytes& out) : sink_{out}, packer_(sink_) {}

  void array(std::size_t n) { packer_.pack_array(static_cast<std::uint32_t>(n)); }
  void map(std::size_t n) { packer_.pack_map(static_cast<std::uint32_t>(n)); }
  void uint(std::uint64_t v) { packer_.pack_uint64(v); }
  void sint(std::int64_t v) { packer_.pack_int64(v); }
  void boolean(bool v) { v ? packer_.pack_true() : packer_.pack_false(); }
  void nil() { packer_.pack_nil(); }
  void text(std::string_view v) {
    packer_.pack_str(static_cast<std::uint32_t>(v.size()));
    packer_.pack_str_body(v.data(), static_cast<std::uint32_t>(v.size()));
  }
  void bin(ByteView v) {
    packer_.pack_bin(static_cast<std::uint32_t>(v.size()));
    packer_.pack_bin_body(v.data(), static_cast<std::uint32_t>(v.size()));
  }

 private:
  struct Sink {
    Bytes& out;
    void write(const char* data, std::size_t n) { out.append(data, n); }
  };
  Sink sink_;
  msgpack::packer<Sink> packer_;
};

// Reads outside bytes: every call says false once anything was wrong, and nothing is allocated from an unchecked
// length.
class Reader {
 public:
  explicit Reader(ByteView in) : in_(in) {}

  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && in_.empty(); }
  bool reject() { return ok_ = false; }

  bool array(std::size_t& n) { return header(0x90, 0xdc, n); }
  bool map(std::size_t& n) { return header(0x80, 0xde, n); }
  bool uint(std::uint64_t& v);
  bool sint(std::int64_t& v);
  bool boolean(bool& v);
  bool nil_next() const { return ok_ && !in_.empty() && static_cast<std::uint8_t>(in_[0]) == 0xc0; }
  bool text(std::string_view& v);
  bool bin(ByteView& v);
  bool skip(int depth = 0);  // one value of any type
  bool raw(ByteView& v) {    // its bytes
    const ByteView before = in_;
    if (!skip()) return false;
    v = before.substr(0, before.size() - in_.size());
    return true;
  }

 private:
  bool header(std::uint8_t fix, std::uint8_t wide, std::size_t& n);
  bool take(std::size_t n, ByteView& out);
  bool big_endian(std::size_t width, std::uint64_t& v);

  ByteView in_;
  bool ok_ = true;
};

// The two archives behind fields(): the same list writes and reads.
class Writing {
 public:
  explicit Writing(Bytes& out) : to(out) {}
  template <class... T>
  void operator()(const T&... each) {
    to.array(sizeof...(each));
    (put(each), ...);
  }
  void put(bool v) { to.boolean(v); }
  void put(const std::string& v) { to.text(v); }
  void put(const Binary& v) { to.bin(v); }
  void put(const Hash& v) { to.bin(v.view()); }
  void put(Hlc v) { to.uint(v.value); }
  void put(std::int64_t v) { to.sint(v); }
  template <std::unsigned_integral T>
  void put(T v) {
    to.uint(v);
  }
  template <class T>
  requires std::is_enum_v<T>
  void put(T v) { to.uint(static_cast<std::uint64_t>(v)); }
  template <class Tag>
  void put(const Number<Tag>& v) {
    to.uint(v.value);
  }
  template <class Tag>
  void put(const Name<Tag>& v) {
    to.text(v.text);
  }
  template <class T>
  void put(const Later<T>& v) {
    put(v.value);
  }
  template <class T>
  void put(const std::optional<T>& v) {
    v ? put(*v) : to.nil();
  }
  template <class T>
  void put(const std::vector<T>& v) {
    to.array(v.size());
    for (const T& each : v) put(each);
  }
  template <class K, class V>
  void put(const std::map<K, V>& v) {
    to.map(v.size());
    for (const auto& [key, value] : v) put(key), put(value);
  }
  template <class T>
  requires requires(T t, Writing& a) { t.fields(a); }
  void put(const T& v) { const_cast<T&>(v).fields(*this); }

  Packer to;
};

class Reading {
 public:
  // Lenient readers take and ignore fields that a newer release added at the end; what is hashed is read strictly.
  enum class Extra { ignore, refuse };
  Reading(ByteView in, Extra extra) : from(in), extra_(extra) {}

  template <class... T>
  void operator()(T&... each) {
    constexpr std::size_t kNeeded = (0 + ... + (kIsLater<T> ? 0 : 1));
    std::size_t n = 0;
    if (++depth_ > kMaxDepth || !from.array(n) || n < kNeeded) return void(from.reject());
    if (n > sizeof...(each) && extra_ == Extra::refuse) return void(from.reject());
    std::size_t at = 0;
    ((at++ < n ? get(each) : void()), ...);
    for (std::size_t i = sizeof...(each); i < n && from.skip(); ++i) {
    }
    --depth_;
  }
  void get(bool& v) { from.boolean(v); }
  void get(std::string& v) {
    std::string_view view;
    if (from.text(view)) v = view;
  }
  void get(std::string_view& v) { from.text(v); }  // valid as long as what is read
  void get(Binary& v) {
    ByteView view;
    if (from.bin(view)) v = Binary(view);
  }
  void get(Hash& v) {
    ByteView view;
    if (!from.bin(view)) return;
    if (view.size() != v.bytes.size()) return void(from.reject());
    std::copy(view.begin(), view.end(), v.bytes.begin());
  }
  void get(Hlc& v) { from.uint(v.value); }
  void get(std::int64_t& v) { from.sint(v); }
  template <std::unsigned_integral T>
  void get(T& v) {
    std::uint64_t wide = 0;
    if (!from.uint(wide)) return;
    v = static_cast<T>(wide);
    if (v != wide) from.reject();
  }
  template <class T>
  requires std::is_enum_v<T>
  void get(T& v) {
    std::underlying_type_t<T> raw{};
    get(raw);
    v = static_cast<T>(raw);
  }
  template <class T>
  void get(Later<T>& v) {
    get(v.value);
  }
  template <class Tag>
  void get(Number<Tag>& v) {
    from.uint(v.value);
  }
  template <class Tag>
  void get(Name<Tag>& v) {
    std::string raw;
    get(raw);
    if (!from.ok()) return;
    auto name = Name<Tag>::parse(std::move(raw));
    name ? void(v = std::move(*name)) : void(from.reject());
  }
  template <class T>
  void get(std::optional<T>& v) {
    if (from.nil_next()) return void(from.skip());
    get(v.emplace());
  }
  template <class T>
  void get(std::vector<T>& v) {
    std::size_t n = 0;
    if (!from.array(n)) return;
    for (std::size_t i = 0; i < n && from.ok(); ++i) get(v.emplace_back());
  }
  template <class K, class V>
  void get(std::map<K, V>& v) {
    std::size_t n = 0;
    if (!from.map(n)) return;
    for (std::size_t i = 0; i < n && from.ok(); ++i) {
      K key;
      get(key);
      if (!v.empty() && !(v.rbegin()->first < key)) return void(from.reject());  // sorted, so one encoding a map
      get(v[std::move(key)]);
    }
  }
  template <class T>
  requires requires(T t, Reading& a) { t.fields(a); }
  void get(T& v) { v.fields(*this); }

  Reader from;

 private:
  static constexpr int kMaxDepth = 16;
  Extra extra_;
  int depth_ = 0;
};

template <class T>
Bytes pack(const T& value) {
  Bytes out;
  Writing(out).put(value);
  return out;
}

// A list as a value of its own, such as a note's.
template <class T>
struct Packed {
  std::vector<T> all;
  template <class A>
  void fields(A& a) {
    a(all);
  }
};

// Nothing when the bytes are not exactly one T.
template <class T>
std::optional<T> unpack(ByteView in, Reading::Extra extra = Reading::Extra::ignore) {
  T value{};
  Reading reading(in, extra);
  reading.get(value);
  if (!reading.from.at_end()) return std::nullopt;
  return value;
}

}  // namespace tillsync
