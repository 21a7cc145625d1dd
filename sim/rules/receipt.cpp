#include "sim/rules/rule_table.hpp"

namespace tillsync::sim {

namespace {

class ReceiptRule final : public Rule {
 public:
  using Rule::Rule;

  void on_receipt(const SimTill& till, const HandedOut& handed) override {
    if (evidence_.flushed(handed.receipt.hash) == nullptr)
      breaks("receipt: " + till.label() + " handed out " + handed.key + " before it was on the disk");
  }
};

}  // namespace

const RuleKind rules::receipt{"receipt", "A receipt is handed out only when no power cut can take its op any more.", "",
                              make_rule<ReceiptRule>};

}  // namespace tillsync::sim
