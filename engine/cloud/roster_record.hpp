// The rosters that a cloud's record keeps: the processes of one cloud share them.
#pragma once

#include <string>
#include <tillsync/result.hpp>
#include <vector>

#include "lease/roster.hpp"
#include "storage/model/cloud_store.hpp"

namespace tillsync {

// The feed under which a change of rosters is announced to the other processes.
inline constexpr char kRostersNews[] = "rosters";

// Of a branch that is locked. The newer of two that processes bring at once stays.
void store_roster(CloudTxn& txn, const Roster& roster);
Result<void> store_roster(CloudStore& store, const Roster& roster);
// Of one tenant, or of all without one.
Result<std::vector<Roster>> stored_rosters(CloudStore& store, const std::string& tenant);

}  // namespace tillsync
