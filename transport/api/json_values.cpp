#include "transport/api/json_values.hpp"

#include <sodium.h>

namespace tillsync {

std::string hex(ByteView bytes) {
  std::string out(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(out.data(), out.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  out.pop_back();
  return out;
}

std::optional<Bytes> bytes_of_hex(const std::string& text) {
  Bytes out(text.size() / 2, '\0');
  std::size_t size = 0;
  const char* end = nullptr;
  if (sodium_hex2bin(reinterpret_cast<unsigned char*>(out.data()), out.size(), text.data(), text.size(), nullptr, &size,
                     &end) != 0)
    return std::nullopt;
  return end == text.data() + text.size() ? std::optional(std::move(out)) : std::nullopt;
}

Bytes fields_from(const Json& json) {
  const std::vector<std::uint8_t> packed = Json::to_msgpack(json);
  return {packed.begin(), packed.end()};
}

Json fields_json(ByteView fields) { return parse_msgpack(fields).value_or(Json()); }

}  // namespace tillsync
