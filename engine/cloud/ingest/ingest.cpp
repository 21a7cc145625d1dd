#include "engine/cloud/ingest/ingest.hpp"

namespace tillsync {

namespace {

// What all branches read next, so that a store that is far away fetches it at once.
template <class Stage>
void read_at_once(CloudTxn& txn, const std::map<BranchKey, Stage>& stages) {
  txn.expect([&] {
    CloudReads reads;
    for (const auto& [branch, stage] : stages) stage.name_reads(reads);
    return reads;
  });
}

}  // namespace

Ingest IngestPlan::read() && {
  txn_.expect([&] {
    CloudReads reads;
    for (const auto& [branch, pushes] : pushes_) BranchTxn::name_reads(branch, pushes, reads);
    return reads;
  });
  return Ingest(txn_, now_ms_, policies_);
}

BranchTxn& Ingest::branch(const BranchKey& branch) {
  return branches_.try_emplace(branch, txn_, branch, now_ms_, policies_).first->second;
}

IngestCounts Ingest::close(const TillsOfBranches& tills) && {
  std::map<BranchKey, WrittenEvents> events;
  for (auto& [key, branch] : branches_) events.emplace(key, branch.write_events());
  read_at_once(txn_, events);

  std::map<BranchKey, ReadLedgers> ledgers;
  for (auto& [key, written] : events) ledgers.emplace(key, std::move(written).read_ledgers());
  read_at_once(txn_, ledgers);

  IngestCounts counts;
  for (auto& [key, branch] : branches_) {
    const auto known = tills.find(key);
    counts.add(branch.close(std::move(ledgers.at(key)), known == tills.end() ? nullptr : &known->second));
  }
  return counts;
}

}  // namespace tillsync
