// All rules by name. A new rule is a file here, a line below and a line in rule_table.cpp.
#pragma once

#include "sim/rules/rule.hpp"

namespace tillsync::sim {

namespace rules {
extern const RuleKind receipt, growth, level, unreadable, order, cashier_order, invented, doubled, cloud_stock,
    till_stock, one_holder, rising_terms, fencing, storm, rows, lost, listed, dips, resolutions, drain;
}  // namespace rules

const std::vector<const RuleKind*>& all_rules();
const RuleKind* find_rule(const std::string& name);  // null: there is none

}  // namespace tillsync::sim
