// What the tills bring, put into the cloud's record: the part of a transaction that all its branches go through
// together. The order is held by the types: an IngestPlan hears what is about to come, read() makes an Ingest of it,
// which takes it, and close() ends that.
//
//   IngestPlan plan(txn, now_ms, policies);
//   plan.expect(branch, push);
//   Ingest ingest = std::move(plan).read();
//   const ChainPoint held = ingest.branch(branch).push(push);
//   const IngestCounts counts = std::move(ingest).close(tills);
#pragma once

#include <map>
#include <vector>

#include "engine/cloud/ingest/branch_txn.hpp"

namespace tillsync {

using TillsOfBranches = std::map<BranchKey, std::vector<TillId>>;

// Pushes are being taken.
class Ingest {
 public:
  BranchTxn& branch(const BranchKey& branch);
  // Folds what came, moves the branches' frontiers, writes rows and conflicts. `tills`: by the rosters.
  IngestCounts close(const TillsOfBranches& tills) &&;

 private:
  friend class IngestPlan;
  Ingest(CloudTxn& txn, std::int64_t now_ms, const Policies& policies)
      : txn_(txn), now_ms_(now_ms), policies_(policies) {}

  CloudTxn& txn_;
  std::int64_t now_ms_;
  const Policies& policies_;
  std::map<BranchKey, BranchTxn> branches_;
};

// What is about to be pushed is read from afar at once.
class IngestPlan {
 public:
  IngestPlan(CloudTxn& txn, std::int64_t now_ms, const Policies& policies)
      : txn_(txn), now_ms_(now_ms), policies_(policies) {}
  void expect(const BranchKey& branch, const ReadPush& push) { pushes_[branch].push_back(&push); }
  Ingest read() &&;

 private:
  CloudTxn& txn_;
  std::int64_t now_ms_;
  const Policies& policies_;
  std::map<BranchKey, std::vector<const ReadPush*>> pushes_;
};

}  // namespace tillsync
