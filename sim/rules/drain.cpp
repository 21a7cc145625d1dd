#include "sim/rules/rule_table.hpp"

namespace tillsync::sim {

namespace {

class DrainRule final : public Rule {
 public:
  using Rule::Rule;

  void on_not_drained(Duration in_so_long) override {
    breaks("drain: not settled " + std::to_string(to_ms(in_so_long) / 1000) +
           " s after healing: " + fleet().unsettled());
  }
};

}  // namespace

const RuleKind rules::drain{
    "drain", "After healing, all queues drain within the scenario's limit (three minutes when it says nothing).", "",
    make_rule<DrainRule>};

}  // namespace tillsync::sim
