#include "sim/rules/rule_table.hpp"

namespace tillsync::sim {

namespace {

class CashierOrderRule final : public Rule {
 public:
  using Rule::Rule;

  void on_stored(const Arrival& arrival) override {
    if (!arrival.op) return;
    const Op& op = *arrival.op;
    const Evidence::Flushed* before = evidence_.flushed(op.cashier_prev);
    if (before != nullptr && !in_order(*before, op)) breaks("order: of cashier " + op.cashier + " at " + op.key);
  }

 private:
  bool in_order(const Evidence::Flushed& before, const Op& after) const {
    if (before.chain == after.chain) return before.seq < after.seq;
    return before.hlc < after.hlc || !misfortunes().clocks_right();
  }
};

}  // namespace

const RuleKind rules::cashier_order{
    "cashier-order", "Every cashier's ops follow each other in the order in which he recorded them, also across tills.",
    "Across tills it is the order of their clocks, which is not asked once a clock was set.",
    make_rule<CashierOrderRule>};

}  // namespace tillsync::sim
