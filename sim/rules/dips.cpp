#include "conflicts/kinds.hpp"
#include "sim/rules/rule_table.hpp"

namespace tillsync::sim {

namespace {

class DipsRule final : public Rule {
 public:
  using Rule::Rule;

  void after_quiet() override {
    for (int b = 0; b < fleet().branches(); ++b) {
      std::set<std::string> dips = dips_of(evidence_.shop(b));
      for (const Conflict& c : fleet().conflicts(b)) {
        if (c.kind == "below_zero" && c.state == ConflictState::suspected && !dips.contains(c.id))
          breaks("conflicts: " + c.id + " is suspected, and never happened");
        if (c.waits() || c.state == ConflictState::resolved) dips.erase(c.id);
      }
      for (const std::string& id : dips) breaks("vanished: nobody is told of " + id);
    }
  }

 private:
  static std::set<std::string> dips_of(const ShopModel& shop) {
    std::set<std::string> dips;
    for (const auto& [sku, events] : shop.stock()) {
      std::int64_t stock = 0;
      bool kept = false, below = false;
      for (const StockEvent& e : events) {
        kept = kept || e.stocked;
        stock = e.is_count ? e.milli : stock + e.milli;
        const bool now_below = kept && stock < 0;
        if (now_below && !below) dips.insert(below_zero(sku, e.place(), stock, {}, 0).id);
        below = now_below;
      }
    }
    return dips;
  }
};

}  // namespace

const RuleKind rules::dips{
    "dips",
    "Where more of a product had gone than there was, it is suspected, open or resolved; nothing else is suspected.",
    "Only of products that were ever counted or delivered: of others nobody knows what there was.",
    make_rule<DipsRule>};

}  // namespace tillsync::sim
