#include "engine/till/peer_health.hpp"

#include <algorithm>
#include <utility>

#include "storage/base/pack.hpp"

namespace tillsync {

namespace {
constexpr char kEvidenceMeta[] = "evidence";
}  // namespace

PeerHealth::PeerHealth(TillView view) {
  const auto meta = view.meta(kEvidenceMeta);
  if (meta) evidence_ = unpack<Packed<TwoGrants>>(*meta).value_or(Packed<TwoGrants>{}).all;
}

void PeerHealth::on_vitals(const TillId& from, const Vitals& vitals) {
  Vitals& known = vitals_[from];
  if (known.roster_version != vitals.roster_version) looked_ = false;
  known = vitals;
}

std::optional<Vitals> PeerHealth::vitals_of(const TillId& name) const {
  const auto it = vitals_.find(name);
  return it == vitals_.end() ? std::nullopt : std::optional(it->second);
}

std::vector<TillId> PeerHealth::holders(const Roster& roster, const TillId& self, std::uint64_t own_version) const {
  std::vector<TillId> out;
  for (const Member& member : roster.members) {
    const auto vitals = vitals_.find(member.name);
    const std::uint64_t has = member.name == self       ? own_version
                              : vitals == vitals_.end() ? 0
                                                        : vitals->second.roster_version;
    if (has >= roster.version) out.push_back(member.name);
  }
  return out;
}

void PeerHealth::look_for_majority(const Roster& roster, const TillId& self, std::uint64_t own_version, Instant now) {
  if (looked_ && looked_at_ == roster.version && own_looked_at_ == own_version) return;
  std::uint32_t votes = 0;
  for (const TillId& holder : holders(roster, self, own_version)) votes += roster.votes_of(holder);
  if (votes < roster.quorum() || looked_at_ != roster.version) most_hold_since_.reset();
  if (votes >= roster.quorum() && !most_hold_since_) most_hold_since_ = now;
  looked_ = true, looked_at_ = roster.version, own_looked_at_ = own_version;
}

bool PeerHealth::complain(const TillId& from, const std::string& what) {
  if (complaints_.size() >= kMostComplaints && !complaints_.contains({from, what})) return false;
  return ++complaints_[{from, what}] == 1;
}

std::vector<Complaint> PeerHealth::complaints() const {
  std::vector<Complaint> out;
  for (const auto& [about, count] : complaints_) out.push_back({about.first, about.second, count});
  return out;
}

bool PeerHealth::keep(const TwoGrants& evidence) {
  const bool known = std::any_of(evidence_.begin(), evidence_.end(), [&](const TwoGrants& e) {
    return e.grantor == evidence.grantor && e.first.term == evidence.first.term;
  });
  if (known || evidence_.size() >= kMostEvidence) return false;
  evidence_.push_back(evidence);
  return dirty_ = true;
}

void PeerHealth::form(StoreBatch& batch) {
  if (dirty_) batch.meta(kEvidenceMeta, pack(Packed<TwoGrants>{evidence_}));
  dirty_ = false;
}

}  // namespace tillsync
