#include "transport/api/nearest.hpp"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace tillsync {

namespace {

constexpr std::size_t kMostCompared = 64;  // bytes: no name is longer, and what somebody sent may be a megabyte

// Levenshtein's: how many letters have to be put in, left out or changed.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string_view nearest_of(std::string_view typed, std::span<const std::string_view> known) {
  typed = typed.substr(0, kMostCompared);
  const auto nearest =
      std::ranges::min_element(known, {}, [&](std::string_view each) { return distance(typed, each); });
  return nearest == known.end() ? std::string_view() : *nearest;
}

}  // namespace tillsync
