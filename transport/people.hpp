// What a person says without a till: one op in a history of its own, signed by the person's (or the cloud's) key.
#pragma once

#include "engine/wire/open_push.hpp"

namespace tillsync {

OpenedPush sign_alone(const OpDraft& draft, const BranchId& branch, const TillId& name, const SecretKey& key,
                      std::int64_t wall_ms);

}  // namespace tillsync
