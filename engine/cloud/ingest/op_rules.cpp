#include "engine/cloud/ingest/op_rules.hpp"

#include "engine/recorded_rules.hpp"
#include "storage/base/thousandths.hpp"
#include "storage/model/op_codec.hpp"

namespace tillsync {

std::optional<std::string> lasting_fault(const std::optional<OpDraft>& draft) {
  if (!draft) return "its body can't be read";
  if (draft->kind == OpKind::incarnation || draft->kind == OpKind::clock_correction) return std::nullopt;
  if (auto valid = validate_recorded(*draft); !valid) return valid.error().message;
  return std::nullopt;
}

std::optional<std::string> fault_in(const std::optional<OpDraft>& draft, const Policies& policies) {
  auto lasting = lasting_fault(draft);
  return lasting ? lasting : fault_by(policies, *draft);
}

std::optional<std::string> fault_by(const Policies& policies, const OpDraft& draft) {
  if (draft.kind == OpKind::resolution) return std::nullopt;
  const auto limit = policies.units_per_line();
  for (const Line& line : draft.document.lines) {
    if (line.quantity.milli > limit.rule * 1000 || line.quantity.milli < -limit.rule * 1000)
      return thousandths(line.quantity.milli) + " of " + line.sku + " in one line: " + limit.why;
  }
  return std::nullopt;
}

}  // namespace tillsync
