// How the branches of a cloud are, from what each transaction sums up as it goes: one read over all of them, however
// many ops they have.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/cloud/ingest/outbox.hpp"
#include "engine/cloud/ingest/tally.hpp"
#include "engine/cloud/witness.hpp"

namespace tillsync {

struct BranchReport {
  BranchKey shop;
  Tally tally;
  std::int64_t complete_ms = 0;  // its past is here up to then; 0: not known
  LeaseRecord lease;
  std::optional<OutboxState> outbox;
};

// All branches that ever said anything, of all tenants or of one, and those of `known`; of shared rows: without a
// branch.
std::vector<BranchReport> read_fleet(CloudTxn& txn, const std::string& tenant, const std::vector<BranchKey>& known);

// How much a branch wants to be looked at; worst first.
struct Health {
  std::uint64_t score = 0;
  std::string words;  // what is the matter; empty: nothing
};
constexpr std::int64_t kSilentMs = 15 * 60 * 1000, kBehindLimitMs = 30 * 60 * 1000, kWebhookLateMs = 15 * 60 * 1000;
Health health_of(const BranchReport& branch, std::int64_t now_ms);

}  // namespace tillsync
