#include "sim/rules/rule_table.hpp"

namespace tillsync::sim {

namespace {

class DoubledRule final : public Rule {
 public:
  using Rule::Rule;

  void on_effect(int, const Op& op, OpEffect effect, OpEffect right) override {
    const bool another_first = op.kind == OpKind::resolution && right == OpEffect::applied;
    if (effect != right && !another_first) breaks("doubled: " + op.key + " does not have the effect that it must");
  }
};

}  // namespace

const RuleKind rules::doubled{
    "doubled",
    "An idempotency key is in effect once: what comes again has no effect, and with other content it is a conflict.",
    "A resolution may have no effect though its key is new: another one may have come first.", make_rule<DoubledRule>};

}  // namespace tillsync::sim
