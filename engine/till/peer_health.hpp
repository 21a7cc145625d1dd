// What a till knows of the others of its branch besides their ops: how they are, since when most of them hold its
// roster, what it had to refuse of them, and proofs that somebody lies.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tillsync/time.hpp>
#include <vector>

#include "engine/till/peer_table.hpp"
#include "engine/till/stored_part.hpp"

namespace tillsync {

struct Complaint {
  TillId from;
  std::string what;
  std::uint64_t count = 0;
};

class PeerHealth final : public StoredPart {
 public:
  static constexpr std::size_t kMostEvidence = 50, kMostComplaints = 200;

  PeerHealth(const TillContext& context, const PeerTable& peers, CheckpointTimer& timer);

  void on_vitals(const TillId& from, const Vitals& vitals);
  std::optional<Vitals> vitals_of(const TillId& name) const;

  // Who holds this version of the roster durably; `self` holds `own_version`.
  std::vector<TillId> holders(const Roster& roster, const TillId& self, std::uint64_t own_version) const;
  // Looks whether those with more than half of the votes do; `most_hold_since` tells since when it has been so.
  void look_for_majority(const Roster& roster, const TillId& self, std::uint64_t own_version, Instant now);
  std::optional<Instant> most_hold_since() const { return most_hold_since_; }

  // A message that changed nothing. Each complaint is logged once with its sender, and counted from then on.
  void complain(const TillId& from, const std::string& what, Actions& out);
  void refuse() { ++refused_; }
  std::uint64_t refused() const { return refused_; }
  std::vector<Complaint> complaints() const;

  // A proof is stored and told to everybody, who check it themselves and tell it on; the cloud makes a conflict of it.
  void on_evidence(const TillId& from, const TwoGrants& evidence, Actions& out);  // another's: checked first
  void keep(const TwoGrants& evidence, Actions& out);
  const std::vector<TwoGrants>& evidence() const { return evidence_; }

  std::optional<Instant> due() const override { return std::nullopt; }
  void write(const Moment& at, Checkpoint& into) override;

 private:
  bool is_known(const TwoGrants& evidence) const;

  const TillContext& context_;
  const PeerTable& peers_;
  CheckpointTimer& timer_;
  std::map<TillId, Vitals> vitals_;
  std::optional<Instant> most_hold_since_;
  // What was looked at: which versions of the roster, and whether no vitals have changed what others hold since.
  std::uint64_t looked_at_ = 0, own_looked_at_ = 0;
  bool looked_ = false;
  std::map<std::pair<TillId, std::string>, std::uint64_t> complaints_;
  std::uint64_t refused_ = 0;
  std::vector<TwoGrants> evidence_;
  bool dirty_ = false;
};

}  // namespace tillsync
