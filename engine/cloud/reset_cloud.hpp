// A record that went back in time: it was restored from a backup. Before it serves again it gets another generation, so
// that readers compare no versions with what is gone, and tills ask what of theirs it lacks and send that again. Terms
// rise beyond all that may have been granted since the backup, and as a witness it promises nothing before every
// promise that it may have forgotten has run out (lease/grantor.hpp).
#pragma once

#include <optional>

#include "engine/wire/messages.hpp"
#include "storage/model/cloud_store.hpp"

namespace tillsync {

constexpr std::uint64_t kTermsForgotten = 10'000;  // at most granted since any backup; tills follow up to a million

// No process may have the store open but this one, which opens it again afterwards. `wall_ms`: the present time.
Result<void> reset_cloud(CloudStore& store, std::uint64_t fresh_generation, std::int64_t wall_ms);

// What tills hear of it, unsigned; nothing of a record that never went back.
std::optional<CloudReset> began_anew(CloudTxn& txn);

}  // namespace tillsync
