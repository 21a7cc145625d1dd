#include "sim/rules/rule_table.hpp"

namespace tillsync::sim {

namespace {

class RisingTermsRule final : public Rule {
 public:
  using Rule::Rule;

  void at_any_time() override {
    if (misfortunes().cloned()) return;
    for (const Evidence::Holder& now : evidence_.holders()) {
      auto& [term, who] = last_[now.branch];
      const bool rises = now.term > term || (now.term == term && (who == now.who || who.empty()));
      if (!rises && !misfortunes().till_forgot())
        breaks("lease: " + now.who + " holds it in term " + std::to_string(now.term.value) + " after " + who + " in " +
               std::to_string(term.value));
      term = now.term, who = now.who;
    }
  }

 private:
  std::map<int, std::pair<Term, std::string>> last_;  // by branch
};

}  // namespace

const RuleKind rules::rising_terms{
    "rising-terms", "Whoever comes to hold a branch's lease exclusively holds it in a later term than all before.",
    "Not once a till was cloned or went back in time: it has forgotten what it promised.", make_rule<RisingTermsRule>};

}  // namespace tillsync::sim
