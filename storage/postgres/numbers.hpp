// Numbers without a sign in PostgreSQL's bigint, so that they sort.
#pragma once

#include <cstdint>

namespace tillsync::postgres {

constexpr std::uint64_t kHighest = std::uint64_t{1} << 63;
constexpr std::int64_t sorted(std::uint64_t value) { return static_cast<std::int64_t>(value ^ kHighest); }
constexpr std::uint64_t unsorted(std::int64_t value) { return static_cast<std::uint64_t>(value) ^ kHighest; }

}  // namespace tillsync::postgres
