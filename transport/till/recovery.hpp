// Rebuilding a till's database from its journal. The journal is the black box: every op that the cloud does not hold
// yet is in it. Rows, stock and the branch's ops come back from the host and the cloud by themselves.
#pragma once

#include <string>
#include <tillsync/result.hpp>

namespace tillsync {

struct Recovery {
  std::uint64_t ops = 0;  // found in the journal
  std::string set_aside;  // where the damaged database was moved to; empty when there was none
};

// The till must not be running. Nothing is deleted. Errors: locked, not_found, disk_full, damaged.
Result<Recovery> recover_till(const std::string& folder);

}  // namespace tillsync
