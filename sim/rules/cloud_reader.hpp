// Reads what has come to the cloud, op by op, and shows it to the rules and to the model.
#pragma once

#include "sim/rules/rule.hpp"

namespace tillsync::sim {

using RuleList = std::vector<std::unique_ptr<Rule>>;

class CloudReader {
 public:
  explicit CloudReader(Evidence& evidence) : evidence_(evidence) {}

  void read_new_ops(const RuleList& rules);
  void begin_anew() { seen_.clear(); }  // the cloud went back to a backup
  std::uint64_t ops() const { return ops_; }

 private:
  void read(CloudTxn& txn, int branch, const RuleList& rules);

  Evidence& evidence_;
  std::map<std::pair<int, ChainId>, ChainPoint> seen_;
  std::uint64_t ops_ = 0;
};

}  // namespace tillsync::sim
