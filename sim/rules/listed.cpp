#include <algorithm>

#include "sim/rules/rule_table.hpp"

namespace tillsync::sim {

namespace {

class ListedRule final : public Rule {
 public:
  using Rule::Rule;

  void after_quiet() override {
    for (int b = 0; b < fleet().branches(); ++b) {
      const auto list = fleet().conflicts(b);
      const ShopModel& shop = evidence_.shop(b);
      for (const std::string& key : shop.conflicting_keys()) {
        if (!listed(list, "duplicate_key", "'" + key + "'"))
          breaks("vanished: two ops with the key " + key + " differ, and nobody is told");
      }
      for (const auto& [key, place] : shop.late_resolutions()) {
        if (!place.empty() && !listed(list, "two_resolutions", "word/" + place))
          breaks("vanished: somebody's word " + place + " came too late, and nobody is told");
      }
      for (const ChainId& chain : shop.forks()) {
        if (!listed(list, "forked_history", chain.till.text + "/" + std::to_string(chain.incarnation.value)))
          breaks("vanished: the fork of " + chain.till.text + " is not listed");
      }
    }
  }

 private:
  static bool listed(const std::vector<Conflict>& list, const std::string& kind, const std::string& about) {
    return std::ranges::any_of(list, [&](const Conflict& c) {
      return c.kind == kind && (c.id.find(about) != std::string::npos || c.summary.find(about) != std::string::npos);
    });
  }
};

}  // namespace

const RuleKind rules::listed{
    "listed",
    "Every key with two contents, every fork and every resolution that came too late is in the conflict queue.", "",
    make_rule<ListedRule>};

}  // namespace tillsync::sim
