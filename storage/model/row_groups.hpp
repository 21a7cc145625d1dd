// Groups of branches that differ from the rest of their tenant, in prices say: rows of kind "group" name their
// branches, and the feed "group/NAME" has the rows that stand over the tenant's there. Of several, the first by name
// counts.
//
//   {"id":"airport","branches":["gate-a","gate-b"]}     imported as kind group
#pragma once

#include <string>
#include <tillsync/row.hpp>

namespace tillsync {

inline FeedKind groups_feed() { return {"tenant", "group"}; }
inline std::string group_feed(const std::string& name) { return "group/" + name; }
bool in_group(const Row& group, const BranchId& branch);

}  // namespace tillsync
