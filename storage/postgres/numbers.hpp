// Numbers without a sign in PostgreSQL's bigint, so that they sort; and how much of a range is read at a time.
#pragma once

#include <algorithm>
#include <cstdint>

namespace tillsync::postgres {

constexpr std::uint64_t kHighest = std::uint64_t{1} << 63;
constexpr std::int64_t sorted(std::uint64_t value) { return static_cast<std::int64_t>(value ^ kHighest); }
constexpr std::uint64_t unsorted(std::int64_t value) { return static_cast<std::uint64_t>(value) ^ kHighest; }

// How many rows to ask for next, when `count` rows had so many bytes: round trips are few, and memory is bounded.
constexpr std::int64_t kFirstChunk = 4, kLargestChunk = 1024, kChunkBytes = 4 << 20;
constexpr std::int64_t next_chunk(std::int64_t count, std::size_t bytes) {
  const std::int64_t each = static_cast<std::int64_t>(bytes) / count + 1;
  return std::clamp<std::int64_t>(kChunkBytes / each, 1, std::min(count * 16, kLargestChunk));
}

}  // namespace tillsync::postgres
