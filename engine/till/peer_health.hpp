// What a till knows of the others of its branch besides their ops: how they are, since when most of them hold its
// roster, whose lease messages it had to ignore, and proofs that somebody lies.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tillsync/time.hpp>
#include <vector>

#include "engine/wire/messages.hpp"
#include "storage/lmdb/till_store.hpp"

namespace tillsync {

struct Complaint {
  TillId from;
  std::string what;
  std::uint64_t count = 0;
};

class PeerHealth {
 public:
  static constexpr std::size_t kMostEvidence = 50, kMostComplaints = 200;

  explicit PeerHealth(TillView view);

  void on_vitals(const TillId& from, const Vitals& vitals);
  std::optional<Vitals> vitals_of(const TillId& name) const;

  // Who holds this version of the roster durably; `self` holds `own_version`.
  std::vector<TillId> holders(const Roster& roster, const TillId& self, std::uint64_t own_version) const;
  // Looks whether those with more than half of the votes do; `most_hold_since` tells since when it has been so.
  void look_for_majority(const Roster& roster, const TillId& self, std::uint64_t own_version, Instant now);
  std::optional<Instant> most_hold_since() const { return most_hold_since_; }

  // True the first time: it is logged once with its sender, and counted from then on.
  bool complain(const TillId& from, const std::string& what);
  std::vector<Complaint> complaints() const;

  bool keep(const TwoGrants& evidence);  // true: not known yet
  const std::vector<TwoGrants>& evidence() const { return evidence_; }

  void form(StoreBatch& batch);

 private:
  std::map<TillId, Vitals> vitals_;
  std::optional<Instant> most_hold_since_;
  // What was looked at: which versions of the roster, and whether no vitals have changed what others hold since.
  std::uint64_t looked_at_ = 0, own_looked_at_ = 0;
  bool looked_ = false;
  std::map<std::pair<TillId, std::string>, std::uint64_t> complaints_;
  std::vector<TwoGrants> evidence_;
  bool dirty_ = false;
};

}  // namespace tillsync
