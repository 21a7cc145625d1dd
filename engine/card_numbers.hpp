// Payment card numbers have no place in a till's record: a text that holds one is refused before it is written.
//
// A number is taken for a card's when a payment network issues numbers of its length under its first digits and its
// check digit is right (ISO/IEC 7812-1, Luhn). An IMEI has 15 digits that no network with 15 begins with; a GTIN-13 has
// 13, which no network has issued for decades. docs/security.md says how often a number of another kind is refused.
#pragma once

#include <string_view>

namespace tillsync {

// Digits alone, or in groups parted by single blanks or dashes; any run of neighbouring groups may be a number.
bool holds_card_number(std::string_view text);

// Digits alone.
bool is_card_number(std::string_view digits);

}  // namespace tillsync
