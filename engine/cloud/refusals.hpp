// What was refused, counted by branch and reason: for metrics and for people. Of those who prove to belong to no branch
// there is one line for all, so that a stranger can't make it grow.
#pragma once

#include <cstdint>
#include <map>

#include "storage/model/branch_key.hpp"

namespace tillsync {

enum class Refused : std::uint8_t {
  wrong_key,       // no such key, or an expired one
  unknown_tenant,  // which this cloud does not serve
  not_in_roster,   // a stranger, or a till that was removed
  too_old,         // speaks no protocol version that is served
  not_allowed,     // its role does not have the right
  unreadable,      // no message, or no valid one
  bad_signature,   // of a push, a statement or a lease message
  too_fast,        // more than its share of ops, bytes or messages
  overloaded,      // this process can't keep up
  bad_rows,        // lines of an import
  unstorable,      // the database can't hold it
};

constexpr const char* name_of(Refused why) {
  constexpr const char* kNames[] = {"wrong_key",   "unknown_tenant", "not_in_roster", "too_old",
                                    "not_allowed", "unreadable",     "bad_signature", "too_fast",
                                    "overloaded",  "bad_rows",       "unstorable"};
  return kNames[static_cast<std::size_t>(why)];
}

class Refusals {
 public:
  void count(const BranchKey& branch, Refused why, std::uint64_t times = 1) {
    counts_[{branch, why}] += times, total_ += times;
  }
  const std::map<std::pair<BranchKey, Refused>, std::uint64_t>& counts() const { return counts_; }
  std::uint64_t total() const { return total_; }

 private:
  std::map<std::pair<BranchKey, Refused>, std::uint64_t> counts_;
  std::uint64_t total_ = 0;
};

}  // namespace tillsync
