// What every part of a till's engine may look at: who this till is, the branch's roster and the database; and what
// holds at the moment of an event.
#pragma once

#include <optional>

#include "conflicts/policy.hpp"
#include "lease/election.hpp"
#include "storage/lmdb/till_store.hpp"

namespace tillsync {

struct TillCoreConfig {
  BranchId branch;
  TillId till;
  SecretKey key;
  std::optional<Roster> roster;                        // at the start; nothing: a till on its own, not paired yet
  bool use_cloud = true;                               // false: this till has no way to the cloud of its own
  Policies policies = {};                              // what it sells without having it
  Duration keep_ops = std::chrono::hours(24 * 90);     // in the vault, once the cloud holds them: for enquiries
  Duration keep_journal = std::chrono::hours(24 * 7);  // likewise: the black box
};

struct TillContext {
  const TillCoreConfig& config;
  const std::optional<Roster>& roster;  // the newest
  TillStore& store;

  const TillId& self() const { return config.till; }
  const Member* member(const TillId& name) const { return roster ? roster->find(name) : nullptr; }
};

// The time of an event, and who hosts the branch then.
struct Moment {
  Now now;
  std::int64_t wall_ms = 0;  // by the corrected clock
  LeaseView lease;
  bool hosts = false;  // this till does

  Instant mono() const { return now.mono; }
  bool hosted_by_another(const TillId& self) const { return lease.kind != LeaseKind::none && lease.host != self; }
};

}  // namespace tillsync
