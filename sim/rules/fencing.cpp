#include <algorithm>

#include "sim/rules/rule_table.hpp"

namespace tillsync::sim {

namespace {

class FencingRule final : public Rule {
 public:
  using Rule::Rule;

  void on_commanded(const Ballot& lease) override {
    for (int b = 0; b < fleet().branches(); ++b) {
      if (fleet().roster(b).branch != lease.branch) continue;
      Term& highest = highest_[b];
      const bool nobody_knows = misfortunes().till_forgot() && misfortunes().cloud_forgot();
      if (lease.term < highest && !nobody_knows)
        breaks("fencing: " + lease.candidate.text + " commanded the cloud in term " + std::to_string(lease.term.value) +
               " after another in " + std::to_string(highest.value));
      highest = std::max(highest, lease.term);
    }
  }

 private:
  std::map<int, Term> highest_;  // by branch: under which the cloud was commanded
};

}  // namespace

const RuleKind rules::fencing{
    "fencing", "Once a later host has acted at the cloud, an earlier one can't.",
    "Not once both the cloud and a till went back in time: then nobody knows of the later host.",
    make_rule<FencingRule>};

}  // namespace tillsync::sim
