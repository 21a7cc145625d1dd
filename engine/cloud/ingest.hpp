// What pushes do to the cloud's record, inside one transaction, branch by branch.
#pragma once

#include <map>
#include <vector>

#include "engine/cloud/branch_ingest.hpp"

namespace tillsync {

class Ingest {
 public:
  Ingest(CloudTxn& txn, std::int64_t now_ms, const Policies& policies)
      : txn_(txn), now_ms_(now_ms), policies_(policies) {}

  // What is about to be pushed: read from afar at once.
  void expect(const std::vector<std::pair<BranchKey, const ReadPush*>>& pushes);
  BranchIngest& branch(const BranchKey& shop);
  // Folds what came, moves the branches' frontiers, writes rows and conflicts. Call once, at the end of the
  // transaction.
  IngestCounts finish(const std::map<BranchKey, std::vector<TillId>>& tills);

 private:
  CloudTxn& txn_;
  std::int64_t now_ms_;
  const Policies& policies_;
  std::map<BranchKey, BranchIngest> branches_;
};

}  // namespace tillsync
