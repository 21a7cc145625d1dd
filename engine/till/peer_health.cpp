#include "engine/till/peer_health.hpp"

#include <algorithm>
#include <utility>

#include "storage/base/pack.hpp"

namespace tillsync {

namespace {
constexpr char kEvidenceMeta[] = "evidence";
}  // namespace

PeerHealth::PeerHealth(const TillContext& context, const PeerTable& peers, CheckpointTimer& timer)
    : context_(context), peers_(peers), timer_(timer) {
  const auto meta = context.store.view().meta(kEvidenceMeta);
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

void PeerHealth::complain(const TillId& from, const std::string& what, Actions& out) {
  refuse();
  if (complaints_.size() >= kMostComplaints && !complaints_.contains({from, what})) return;
  if (++complaints_[{from, what}] == 1)
    out.warn("ignored a message of " + from.text + ": " + what + " (more of them are only counted)");
}

std::vector<Complaint> PeerHealth::complaints() const {
  std::vector<Complaint> out;
  for (const auto& [about, count] : complaints_) out.push_back({about.first, about.second, count});
  return out;
}

void PeerHealth::on_evidence(const TillId& from, const TwoGrants& evidence, Actions& out) {
  if (!context_.roster || !evidence.proves(*context_.roster))
    return complain(from, "a proof of two grants that proves nothing", out);
  keep(evidence, out);
}

void PeerHealth::keep(const TwoGrants& evidence, Actions& out) {
  if (is_known(evidence) || evidence_.size() >= kMostEvidence) return;
  evidence_.push_back(evidence);
  dirty_ = true;
  timer_.start(kAtOnce);
  out.alarm(evidence.grantor.text + " granted the lease to both " + evidence.first.candidate.text + " and " +
            evidence.second.candidate.text + " in term " + std::to_string(evidence.first.term.value) +
            ": it was copied, restored from a backup, or lies; take it out of the roster and pair it anew");
  for (const auto& [id, peer] : peers_.all()) out.send(id, evidence);
}

bool PeerHealth::is_known(const TwoGrants& evidence) const {
  return std::ranges::any_of(evidence_, [&](const TwoGrants& e) {
    return e.grantor == evidence.grantor && e.first.term == evidence.first.term;
  });
}

void PeerHealth::write(const Moment&, Checkpoint& into) {
  if (dirty_) into.batch.meta(kEvidenceMeta, pack(Packed<TwoGrants>{evidence_}));
  dirty_ = false;
}

}  // namespace tillsync
