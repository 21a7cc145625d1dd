#include "engine/cloud/ingest.hpp"

namespace tillsync {

void Ingest::expect(const std::vector<std::pair<BranchKey, const ReadPush*>>& pushes) {
  for (const auto& [shop, push] : pushes) branch(shop).expect(*push);
  txn_.expect([&] {
    CloudReads reads;
    for (const auto& [shop, branch] : branches_) branch.name_reads(reads);
    return reads;
  });
}

BranchIngest& Ingest::branch(const BranchKey& shop) {
  return branches_.try_emplace(shop, txn_, shop, now_ms_, policies_).first->second;
}

IngestCounts Ingest::finish(const std::map<BranchKey, std::vector<TillId>>& tills) {
  const auto name_all = [&](auto name) {
    return [&, name] {
      CloudReads reads;
      for (const auto& [shop, branch] : branches_) (branch.stock().*name)(reads);
      return reads;
    };
  };
  for (auto& [shop, branch] : branches_) branch.stock().write_events();
  txn_.expect(name_all(&BranchStock::name_ledgers));
  for (auto& [shop, branch] : branches_) branch.stock().load_ledgers();
  txn_.expect(name_all(&BranchStock::name_events));
  IngestCounts counts;
  for (auto& [shop, branch] : branches_) {
    const auto known = tills.find(shop);
    branch.finish(known == tills.end() ? nullptr : &known->second);
    counts.appended += branch.counts().appended;
    counts.duplicates += branch.counts().duplicates;
    counts.conflicts += branch.counts().conflicts;
  }
  return counts;
}

}  // namespace tillsync
