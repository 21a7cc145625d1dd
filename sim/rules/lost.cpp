#include "sim/rules/rule_table.hpp"

namespace tillsync::sim {

namespace {

class LostRule final : public Rule {
 public:
  using Rule::Rule;

  void after_quiet() override {
    for (const auto& till : fleet().tills()) {
      if (!fleet().is_member(*till)) continue;
      const ShopModel& shop = evidence_.shop_of(*till);
      for (const HandedOut& each : till->receipts()) {
        const bool there = shop.in_effect(each.key) || shop.late_resolutions().contains(each.key);
        if (!there && !misfortunes().destroyed(each.key)) breaks("lost: " + each.key + " of " + till->label());
      }
    }
  }
};

}  // namespace

const RuleKind rules::lost{"lost", "In the end every op whose receipt was handed out is in the cloud.",
                           "Excepted are what lay on one disk alone when that went back in time or rotted; what the "
                           "cloud lost by going back, if no till had it any more by the time the branch heard of that; "
                           "and what a till holds that was taken out of the roster.",
                           make_rule<LostRule>};

}  // namespace tillsync::sim
