#include "sim/rules/rule_table.hpp"

namespace tillsync::sim {

namespace {

class TillStockRule final : public Rule {
 public:
  using Rule::Rule;

  void after_quiet() override {
    for (const auto& till : fleet().tills()) {
      if (fleet().is_member(*till) && !fleet().stock_agrees(*till))
        breaks("stock: " + till->label() + " differs from the cloud");
    }
  }
};

}  // namespace

const RuleKind rules::till_stock{"till-stock", "In the end every till's stock is the cloud's.",
                                 "Not of a till that was taken out of the roster: nobody tells it anything.",
                                 make_rule<TillStockRule>};

}  // namespace tillsync::sim
