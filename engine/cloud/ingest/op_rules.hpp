// What the cloud does not take: an op that breaks a rule stays in its till's history, without effect at any tier, and
// people are asked (a dead letter). Nothing behind it waits.
#pragma once

#include <optional>
#include <string>
#include <tillsync/op.hpp>

#include "conflicts/policy.hpp"

namespace tillsync {

// A sentence about what is wrong; nothing when the op may take effect. `draft` is what the op was recorded from, if it
// can be read. The first whatever a branch allows; the second by its rules, of one without lasting fault; then both.
std::optional<std::string> lasting_fault(const std::optional<OpDraft>& draft);
std::optional<std::string> fault_by(const Policies& policies, const OpDraft& draft);
std::optional<std::string> fault_in(const std::optional<OpDraft>& draft, const Policies& policies);

}  // namespace tillsync
