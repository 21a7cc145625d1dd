#include "engine/wire/messages.hpp"

#include <array>

#include "storage/base/pack.hpp"

namespace tillsync {

namespace {

template <class... M>
constexpr bool all_differ(const std::variant<M...>*) {
  const std::array types = {M::kType...};
  for (std::size_t i = 0; i < types.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (types[i] == types[j]) return false;
    }
  }
  return true;
}
static_assert(all_differ(static_cast<const Message*>(nullptr)), "two messages have one number");

template <std::size_t I = 0>
std::optional<Message> read_body(std::uint64_t type, Reading& r) {
  if constexpr (I == std::variant_size_v<Message>) {
    r.from.skip();
    return Unknown{type};
  } else {
    using Body = std::variant_alternative_t<I, Message>;
    if (Body::kType != type) return read_body<I + 1>(type, r);
    Body body;
    r.get(body);
    if constexpr (std::is_same_v<Body, Unknown>) body.answer = true;
    return body;
  }
}

}  // namespace

Bytes encode(const Message& message) {
  Bytes out;
  Writing w(out);
  w.to.array(2);
  std::visit(
      [&](const auto& body) {
        w.put(std::uint64_t{std::decay_t<decltype(body)>::kType});
        w.put(body);
      },
      message);
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
