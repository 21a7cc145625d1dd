#include "sim/rules/rule_table.hpp"

namespace tillsync::sim {

namespace {

class InventedRule final : public Rule {
 public:
  using Rule::Rule;

  void on_stored(const Arrival& arrival) override {
    if (arrival.op && evidence_.flushed(arrival.hash) == nullptr)
      breaks("invented: nobody recorded " + arrival.op->key + " of " + arrival.chain.till.text);
  }
};

}  // namespace

const RuleKind rules::invented{"invented", "No op is in the cloud that nobody recorded.", "", make_rule<InventedRule>};

}  // namespace tillsync::sim
