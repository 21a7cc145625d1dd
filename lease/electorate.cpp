#include "lease/electorate.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tillsync {

bool Electorate::take(const Roster& roster) {
  if (roster.version < roster_.version) return false;
  return std::exchange(roster_, roster).version != roster.version;
}

std::vector<TillId> Electorate::rivals() const {
  std::vector<TillId> out;
  std::ranges::copy_if(connected_, std::back_inserter(out), [&](const TillId& peer) { return may_host(peer); });
  return out;
}

std::vector<TillId> Electorate::voters() const {
  std::vector<TillId> out;
  std::ranges::copy_if(connected_, std::back_inserter(out), [&](const TillId& peer) { return has_vote(peer); });
  return out;
}

bool Electorate::majority_connected() const {
  std::uint32_t votes = roster_.votes_of(self_);
  for (const TillId& peer : connected_) votes += roster_.votes_of(peer);
  return votes >= roster_.majority();
}

std::vector<TillId> Electorate::grantors_again(const Certificate& certificate) const {
  std::vector<TillId> all;
  std::uint32_t votes = roster_.votes_of(self_);
  for (const auto& [grantor, signature] : certificate.grants) {
    if (grantor == self_) continue;
    if (!connected_.contains(grantor)) return {};
    votes += roster_.votes_of(grantor);
    all.push_back(grantor);
  }
  return votes >= roster_.majority() ? all : std::vector<TillId>{};
}

bool Electorate::may_host(const TillId& till) const {
  const Member* member = roster_.find(till);
  return member != nullptr && member->role == Role::till;
}

const char* Electorate::fault_in(const Ballot& ballot, const TillId& from) const {
  if (ballot.branch != roster_.branch) return "a ballot of another branch";
  if (ballot.candidate != from) return "a ballot in another's name";
  if (!may_host(from) || !has_vote(from)) return "a ballot of one who has no vote";
  if (ballot.duration_ms > Roster::kMaxLeaseMs) return "a ballot for a longer lease than there are";
  return nullptr;
}

const char* Electorate::fault_in(const Certificate& certificate, Term term, const TillId& from) const {
  const Ballot& ballot = certificate.ballot;
  if (ballot.candidate != from || ballot.term != term) return "another's certificate";
  if (ballot.roster_version != roster_.version) return "a certificate of another version of the roster";
  if (!certificate.valid_for(roster_)) return "a certificate that does not hold";
  return nullptr;
}

bool Electorate::signed_by(const TillId& grantor, const Ballot& ballot, const Binary& signature) const {
  const Member* member = roster_.find(grantor);
  return member != nullptr && PublicKey::from_bytes(member->key)->verify(ballot.grant_bytes(grantor), signature);
}

}  // namespace tillsync
