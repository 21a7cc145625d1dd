#include "sim/rules/rule_table.hpp"

namespace tillsync::sim {

namespace {

class OneHolderRule final : public Rule {
 public:
  using Rule::Rule;

  void at_any_time() override {
    if (misfortunes().cloned()) return;
    const auto& holders = evidence_.holders();
    for (std::size_t i = 1; i < holders.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (holders[j].branch == holders[i].branch)
          breaks("lease: " + holders[j].who + " and " + holders[i].who + " hold it at once");
      }
    }
  }
};

}  // namespace

const RuleKind rules::one_holder{"one-holder", "At no instant do two tills hold a branch's lease exclusively.",
                                 "Not once a till was cloned: two machines vote with one key.",
                                 make_rule<OneHolderRule>};

}  // namespace tillsync::sim
