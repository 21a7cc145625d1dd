#include "sim/rules/rule_table.hpp"

namespace tillsync::sim {

namespace {

class ResolutionsRule final : public Rule {
 public:
  using Rule::Rule;

  void after_quiet() override {
    for (int b = 0; b < fleet().branches(); ++b) check(b, fleet().conflicts(b));
  }

 private:
  void check(int branch, const std::vector<Conflict>& list) {
    std::set<std::string> twice;
    for (const Conflict& c : list) {
      if (c.kind == "two_resolutions") twice.insert(c.subject);
    }
    for (const Conflict& c : list) {
      if (c.settlement.has_value() != (c.state == ConflictState::resolved))
        breaks("words: " + c.id + " is settled and is not");
      if (twice.contains(c.id) || c.branch != fleet().shop(branch).branch.text) continue;
      auto moved = evidence_.shop(branch).moved_by_resolutions(c.id);
      if (c.settlement) {
        for (const ConflictMove& move : c.settlement->moves) moved[move.sku] -= move.milli;
      }
      for (const auto& [sku, milli] : moved) {
        if (milli != 0) breaks("words: more than one on " + c.id);
      }
    }
  }
};

}  // namespace

const RuleKind rules::resolutions{
    "resolutions", "Of all resolutions of a conflict exactly one is in effect: the one that its record names.",
    "What they moved is not asked where two were in effect for a while, which is a conflict of its own.",
    make_rule<ResolutionsRule>};

}  // namespace tillsync::sim
