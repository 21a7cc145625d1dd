// How the cloud names a branch, and what of a tenant has changed.
#pragma once

#include <compare>
#include <string>
#include <tillsync/ids.hpp>

namespace tillsync {

// A branch of a tenant. The tenant is named by the hash of its first keys: nobody can claim another's.
struct BranchKey {
  std::string tenant;
  BranchId branch;
  auto operator<=>(const BranchKey&) const = default;
};

// What of a tenant has changed: one of its feeds, or "rosters".
struct CloudNews {
  std::string tenant, what;
  auto operator<=>(const CloudNews&) const = default;
};

}  // namespace tillsync
