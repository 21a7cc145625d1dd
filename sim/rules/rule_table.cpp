#include "sim/rules/rule_table.hpp"

#include <algorithm>

namespace tillsync::sim {

// In the order in which they are asked about one event.
const std::vector<const RuleKind*>& all_rules() {
  static const std::vector<const RuleKind*> all = {
      &rules::receipt,    &rules::growth,        &rules::level,   &rules::unreadable,  &rules::order,
      &rules::invented,   &rules::cashier_order, &rules::doubled, &rules::cloud_stock, &rules::fencing,
      &rules::one_holder, &rules::rising_terms,  &rules::storm,   &rules::lost,        &rules::rows,
      &rules::till_stock, &rules::listed,        &rules::dips,    &rules::resolutions, &rules::drain};
  return all;
}

const RuleKind* find_rule(const std::string& name) {
  const auto found = std::ranges::find(all_rules(), name, [](const RuleKind* kind) { return kind->name; });
  return found == all_rules().end() ? nullptr : *found;
}

}  // namespace tillsync::sim
