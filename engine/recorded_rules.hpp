// Whether an op that was recorded may take effect: the rules that tills recorded by up to release 0.1, and so for ever
// those of op format 1. Stricter rules that came later (engine/validate.hpp) hold at the doors, for what is new. An op
// that an older till took with a receipt is never refused for them; it is shown escaped.
//
// Card numbers are no matter here: whatever is in a recorded op is in its till's history already.
#pragma once

#include <tillsync/op.hpp>
#include <tillsync/result.hpp>

namespace tillsync {

// Errors: invalid, as the reason of a dead letter.
Result<void> validate_recorded(const OpDraft& draft);

}  // namespace tillsync
