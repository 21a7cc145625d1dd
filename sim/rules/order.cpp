#include "sim/rules/rule_table.hpp"

namespace tillsync::sim {

namespace {

class OrderRule final : public Rule {
 public:
  using Rule::Rule;

  void on_stored(const Arrival& arrival) override {
    const auto& op = arrival.op;
    const Seq next = arrival.before.seq.next();
    if (!op || op->seq != next || op->prev != arrival.before.hash || op->chain != arrival.chain)
      breaks("order: " + arrival.chain.till.text + " at " + std::to_string(next.value));
  }

  void on_watermark(int, const ChainId& chain, const ChainPoint& held, const ChainPoint& read) override {
    if (held.seq < read.seq)
      breaks("order: the cloud forgot ops of " + chain.till.text);
    else if (held != read)
      breaks("order: the cloud's watermark of " + chain.till.text + " is not its last op");
  }
};

}  // namespace

const RuleKind rules::order{
    "order",
    "Every history lies in the cloud without a gap, each op naming the one before it, and no op is forgotten there.",
    "After the cloud went back to a backup its histories are read anew.", make_rule<OrderRule>};

}  // namespace tillsync::sim
