// What text from outside may look like, the same at every door. Whoever stores or prints a text that passed these rules
// need not fear it: it is UTF-8 (RFC 3629) and holds nothing that moves a cursor, ends a line or turns the direction of
// reading (UAX #9).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tillsync {

enum class TextKind {
  line,   // a name, a key, a number: one line
  notes,  // what people write: line breaks and tabs as well
};

// Nothing when the text is in order; otherwise what is wrong, to follow "the field 'x' ":
//   "is no UTF-8", "holds a control character", "holds a character that turns the direction of reading".
std::optional<std::string> fault_in_text(std::string_view text, TextKind kind = TextKind::line);

inline bool is_text(std::string_view text, TextKind kind = TextKind::line) { return !fault_in_text(text, kind); }

constexpr std::size_t kMaxSkuBytes = 128;

// 1 to kMaxSkuBytes bytes without control characters: what the stock of a product is kept under. A till that does not
// check what it records may send anything, and what is no sku must not reach the stock.
bool is_sku(std::string_view sku);

}  // namespace tillsync
