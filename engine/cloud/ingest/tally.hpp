// What each transaction sums up of a branch as it goes, so that a report over all branches reads one entry of each.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "storage/model/branch_key.hpp"

namespace tillsync {

class CloudTxn;

// Of a branch, or of the rows that a tenant's branches share.
struct Tally {
  std::uint64_t ops = 0, duplicates = 0, refused_ops = 0;  // since the record began
  std::int64_t heard_ms = 0;                               // by the cloud's clock: when any till was last heard of
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

Tally tally_of(CloudTxn& txn, const BranchKey& branch);

}  // namespace tillsync
