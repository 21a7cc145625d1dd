// A place in the journal. Checkpoints name one, so the store's records know it without knowing the journal.
#pragma once

#include <compare>
#include <cstdint>

namespace tillsync {

struct JournalPosition {
  std::uint32_t segment = 1;
  std::uint64_t offset = 0;
  auto operator<=>(const JournalPosition&) const = default;
  template <class A>
  void fields(A& a) {
    a(segment, offset);
  }
};

}  // namespace tillsync
