#include "engine/wire/messages.hpp"

#include <array>

#include "storage/base/pack.hpp"

namespace tillsync {

namespace {

// The wire's number of each alternative of Message, in the variant's order. Numbers are never reused.
constexpr std::array<std::uint64_t, std::variant_size_v<Message>> kTypes = {10, 11, 12, 13, 14, 20, 21, 22, 23, 1,  2,
                                                                            3,  4,  30, 31, 32, 33, 34, 35, 36, 15, 16,
                                                                            5,  37, 40, 41, 50, 51, 17, 18, 24};

template <std::size_t I = 0>
std::optional<Message> read_body(std::uint64_t type, Reading& r) {
  if constexpr (I == std::variant_size_v<Message>) {
    r.from.skip();
    return Unknown{type};
  } else {
    if (kTypes[I] != type) return read_body<I + 1>(type, r);
    std::variant_alternative_t<I, Message> body;
    r.get(body);
    if constexpr (std::is_same_v<decltype(body), Unknown>) body.answer = true;
    return body;
  }
}

}  // namespace

Bytes encode(const Message& message) {
  Bytes out;
  Writing w(out);
  w.to.array(2);
  w.put(kTypes[message.index()]);
  std::visit([&](const auto& body) { w.put(body); }, message);
  return out;
}

std::optional<Message> decode_message(ByteView bytes) {
  Reading r(bytes, Reading::Extra::ignore);
  std::size_t n = 0;
  std::uint64_t type = 0;
  if (!r.from.array(n) || n < 2 || !r.from.uint(type)) return std::nullopt;
  auto message = read_body(type, r);
  for (std::size_t i = 2; i < n && r.from.skip(); ++i) {
  }
  if (!r.from.at_end()) return std::nullopt;
  return message;
}

Bytes Progress::signed_part(const BranchId& branch) const {
  Bytes out = "tillsync progress 1:";
  Writing w(out);
  w(branch, chain.till, chain.incarnation, last, hlc);
  return out;
}

Bytes CloudReset::signed_part() const {
  Bytes out = "tillsync began anew 1:";
  Writing w(out);
  w(generation, left, wall_ms);
  return out;
}

Bytes push_bytes(const BranchId& branch, const ChainId& chain, const ChainPoint& end) {
  Bytes out = "tillsync push 1:";
  Writing w(out);
  w(branch, chain.till, chain.incarnation, end.seq, end.hash);
  return out;
}

}  // namespace tillsync
