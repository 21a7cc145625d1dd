// Ops of a person without a till: they stand in a history of their own, one a key, signed by the person's (or the
// cloud's) key.
#pragma once

#include "engine/wire/open_push.hpp"

namespace tillsync {

ChainId person_chain(const TillId& name, const PublicKey& key);
// The draft as the op that follows `last`, what the cloud holds of that history.
OpenedPush sign_alone(const OpDraft& draft, const BranchId& branch, const TillId& name, const SecretKey& key,
                      const ChainPoint& last, std::int64_t wall_ms);

}  // namespace tillsync
