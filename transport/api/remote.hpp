// Asking a till or a cloud from another machine, with the key of a person in the branch's roster, over the same
// encrypted channel as everything else. Managers ask; support settles conflicts as well.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include <tillsync/op.hpp>

#include "lease/roster.hpp"
#include "transport/net/links.hpp"

namespace tillsync {

// `what` is lease or roster_held. Errors: refused (the key is in no roster of that till, or the till says why),
// timed_out (nobody answers there).
Result<nlohmann::json> ask_till(const TillId& till, const Address& at, const SecretKey& key, const Roster& roster,
                                const std::string& what);

// The conflicts of every branch whose roster names this key, from a cloud (or from a till: of its branch), as
// `tillsync conflicts list --json` has them.
Result<nlohmann::json> ask_conflicts(const TillId& name, const Address& at, const SecretKey& key, const Roster& roster);

// Settles a conflict at a cloud with a supporter's key: the op is signed by it. Errors: refused (the key may not).
Result<void> push_resolution(const TillId& cloud, const Address& at, const SecretKey& key, const Roster& roster,
                             const OpDraft& draft);

}  // namespace tillsync
