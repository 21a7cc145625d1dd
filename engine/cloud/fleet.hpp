// How the branches of a cloud are, from what each transaction sums up as it goes: one read over all of them, however
// many ops they have.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/cloud/outbox.hpp"
#include "engine/cloud/witness.hpp"

namespace tillsync {

// Of a branch, or of the rows that a tenant's branches share.
struct Tally {
  std::uint64_t ops = 0, duplicates = 0, refused_ops = 0;  // since the record began
  std::int64_t heard_ms = 0;                               // by the cloud's clock: the newest word of any till
  std::map<std::string, std::int64_t> waiting;             // conflicts that nobody has settled, by kind
  template <class A>
  void fields(A& a) {
    a(ops, duplicates, refused_ops, heard_ms, waiting);
  }
  void count(const std::map<std::string, std::int64_t>& changed) {
    for (const auto& [kind, by] : changed) waiting[kind] += by;
    std::erase_if(waiting, [](const auto& each) { return each.second <= 0; });
  }
  std::int64_t conflicts() const {
    std::int64_t sum = 0;
    for (const auto& [kind, n] : waiting) sum += n;
    return sum;
  }
};

Tally tally_of(CloudTxn& txn, const BranchKey& shop);

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
