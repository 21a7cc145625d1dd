#include "storage/base/text_rules.hpp"

#include <algorithm>
#include <cstdint>

namespace tillsync {

namespace {

// Most texts are plain ASCII: looked at without a branch a byte, which a compiler makes a few steps a block.
bool is_plain(std::string_view text) {
  std::uint8_t odd = 0;
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    odd = static_cast<std::uint8_t>(odd | (byte < 0x20 ? 1 : 0) | (byte >= 0x7f ? 1 : 0));
  }
  return odd == 0;
}

// The next character; nothing when the bytes are none (RFC 3629: no surrogates, no longer forms, up to U+10FFFF).
std::optional<char32_t> next_character(std::string_view& text) {
  const auto first = static_cast<std::uint8_t>(text[0]);
  const std::size_t length = first < 0x80                    ? 1
                             : first >= 0xc2 && first < 0xe0 ? 2
                             : first >= 0xe0 && first < 0xf0 ? 3
                             : first >= 0xf0 && first < 0xf5 ? 4
                                                             : 0;
  if (length == 0 || text.size() < length) return std::nullopt;
  char32_t out = length == 1 ? first : first & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    if ((byte & 0xc0) != 0x80) return std::nullopt;
    out = out << 6 | (byte & 0x3fU);
  }
  const bool longer = (length == 3 && out < 0x800) || (length == 4 && out < 0x10000);
  if (longer || out > 0x10ffff || (out >= 0xd800 && out <= 0xdfff)) return std::nullopt;
  text.remove_prefix(length);
  return out;
}

bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029; }
bool turns_direction(char32_t c) {
  return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f || c == 0x061c;
}

}  // namespace

std::optional<std::string> fault_in_text(std::string_view text, TextKind kind) {
  if (is_plain(text)) return std::nullopt;
  while (!text.empty()) {
    const auto c = next_character(text);
    if (!c) return "is no UTF-8";
    const bool allowed = kind == TextKind::notes && (*c == '\n' || *c == '\r' || *c == '\t');
    if (is_control(*c) && !allowed) return "holds a control character";
    if (turns_direction(*c)) return "holds a character that turns the direction of reading";
  }
  return std::nullopt;
}

bool is_sku(std::string_view sku) {
  return !sku.empty() && sku.size() <= kMaxSkuBytes && std::ranges::none_of(sku, [](char c) {
    const auto byte = static_cast<std::uint8_t>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

}  // namespace tillsync
