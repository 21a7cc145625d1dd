// Asking a till from another machine, with a manager's key of the branch's roster: read-only, over the same encrypted
// channel as everything else.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "lease/roster.hpp"
#include "transport/links.hpp"

namespace tillsync {

// `what` is lease or roster_held. Errors: refused (the key is in no roster of that till, or the till says why),
// timed_out (nobody answers there).
Result<nlohmann::json> ask_till(const TillId& till, const Address& at, const SecretKey& key, const Roster& roster,
                                const std::string& what);

}  // namespace tillsync
