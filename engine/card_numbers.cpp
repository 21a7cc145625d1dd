#include "engine/card_numbers.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace tillsync {

namespace {

constexpr std::size_t kShortest = 14, kLongest = 19;

// A network's numbers: their first `prefix_digits` digits lie between `low` and `high`, their lengths in a set.
struct Range {
  std::size_t prefix_digits;
  int low, high;
  std::uint32_t lengths;  // bit n: numbers of n digits
};

constexpr std::uint32_t of(std::size_t length) { return 1U << length; }
constexpr std::uint32_t k16To19 = of(16) | of(17) | of(18) | of(19);
constexpr std::array kRanges = {
    Range{1, 4, 4, of(16) | of(19)},      // Visa; 13 digits are history
    Range{2, 51, 55, of(16)},             // Mastercard
    Range{4, 2221, 2720, of(16)},         // Mastercard
    Range{2, 34, 34, of(15)},             // American Express
    Range{2, 37, 37, of(15)},             // American Express
    Range{4, 6011, 6011, k16To19},        // Discover
    Range{3, 644, 649, k16To19},          // Discover
    Range{2, 65, 65, k16To19},            // Discover
    Range{2, 62, 62, k16To19},            // UnionPay
    Range{4, 3528, 3589, k16To19},        // JCB
    Range{3, 300, 305, of(14) | of(16)},  // Diners Club
    Range{2, 36, 36, of(14) | of(16)},    // Diners Club
    Range{2, 38, 39, of(14) | of(16)},    // Diners Club
    Range{4, 2200, 2204, k16To19},        // Mir
    Range{4, 5018, 5018, k16To19},        // Maestro
    Range{4, 5020, 5020, k16To19},        // Maestro
    Range{4, 5038, 5038, k16To19},        // Maestro
    Range{4, 5893, 5893, k16To19},        // Maestro
    Range{4, 6304, 6304, k16To19},        // Maestro
    Range{4, 6759, 6759, k16To19},        // Maestro
    Range{4, 6761, 6763, k16To19},        // Maestro
};

bool luhn(std::string_view digits) {
  int sum = 0;
  bool twice = false;
  for (auto it = digits.rbegin(); it != digits.rend(); ++it, twice = !twice) {
    int d = *it - '0';
    if (twice && (d *= 2) > 9) d -= 9;
    sum += d;
  }
  return sum % 10 == 0;
}

bool issued(std::string_view digits) {
  int first[5] = {};
  for (std::size_t i = 0; i < 4; ++i) first[i + 1] = first[i] * 10 + (digits[i] - '0');
  for (const Range& range : kRanges) {
    const int prefix = first[range.prefix_digits];
    if (prefix >= range.low && prefix <= range.high && (range.lengths >> digits.size() & 1U) != 0) return true;
  }
  return false;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Most texts are long, and hold no number: without a branch a byte, and by blocks, which a compiler makes one step.
std::size_t count_digits(std::string_view text) {
  constexpr std::size_t kBlock = 16;
  std::size_t digits = 0;
  for (; text.size() >= kBlock; text.remove_prefix(kBlock)) {
    std::uint8_t here = 0;
    for (std::size_t i = 0; i < kBlock; ++i)
      here = static_cast<std::uint8_t>(here + (static_cast<unsigned char>(text[i] - '0') < 10 ? 1 : 0));
    digits += here;
  }
  for (const char c : text) digits += static_cast<unsigned char>(c - '0') < 10;
  return digits;
}

bool any_run_is_card(const std::vector<std::string>& groups) {
  for (std::size_t from = 0; from < groups.size(); ++from) {
    std::string digits;
    for (std::size_t to = from; to < groups.size() && digits.size() < kLongest; ++to) {
      digits += groups[to];
      if (is_card_number(digits)) return true;
    }
  }
  return false;
}

}  // namespace

bool is_card_number(std::string_view digits) {
  return digits.size() >= kShortest && digits.size() <= kLongest && issued(digits) && luhn(digits);
}

bool holds_card_number(std::string_view text) {
  if (text.size() < kShortest || count_digits(text) < kShortest) return false;
  std::vector<std::string> groups;
  for (std::size_t at = 0; at < text.size();) {
    if (!is_digit(text[at])) {
      ++at;
      continue;
    }
    groups.assign(1, {});
    for (; at < text.size(); ++at) {
      if (is_digit(text[at])) {
        groups.back() += text[at];
      } else if ((text[at] == ' ' || text[at] == '-') && at + 1 < text.size() && is_digit(text[at + 1])) {
        groups.emplace_back();
      } else {
        break;
      }
    }
    if (any_run_is_card(groups)) return true;
  }
  return false;
}

}  // namespace tillsync
