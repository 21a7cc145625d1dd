#include "lease/candidacy.hpp"

#include <algorithm>
#include <utility>

namespace tillsync {

void Candidacy::pre_vote(Instant now, Ballot ballot) {
  stop();
  stage_ = Stage::pre_voting;
  started_ = now;
  ballot_ = std::move(ballot);
  pre_votes_ = {ballot_.candidate};
  denied_.clear();
}

void Candidacy::request(Instant now, Ballot ballot) {
  stop();
  stage_ = Stage::requesting;
  started_ = now;
  ballot_ = std::move(ballot);
  every_voter_asked_ = true;
  denied_.clear();
}

void Candidacy::sent(const Binary& own_signature, bool to_every_voter) {
  every_voter_asked_ = to_every_voter;
  grants_[ballot_.candidate] = own_signature;
}

std::optional<RequestGrant> Candidacy::for_the_rest() {
  const auto own = grants_.find(ballot_.candidate);
  if (own == grants_.end() || std::exchange(every_voter_asked_, true)) return std::nullopt;
  return RequestGrant{ballot_, own->second};
}

void Candidacy::stop() {
  stage_ = Stage::idle;
  grants_.clear();
}

void Candidacy::count_denial(const TillId& voter) {
  grants_.erase(voter);
  denied_.insert(voter);
}

bool Candidacy::has_majority(const Roster& roster) const {
  std::uint32_t votes = 0;
  if (stage_ == Stage::pre_voting) {
    for (const TillId& voter : pre_votes_) votes += roster.votes_of(voter);
  } else {
    for (const auto& [voter, signature] : grants_) votes += roster.votes_of(voter);
  }
  return votes >= roster.majority();
}

bool Candidacy::majority_possible(const Roster& roster, const std::set<TillId>& connected) const {
  std::uint32_t votes = roster.votes_of(ballot_.candidate);
  for (const TillId& peer : connected) votes += denied_.contains(peer) ? 0 : roster.votes_of(peer);
  return votes >= roster.majority();
}

Certificate Candidacy::certificate() const {
  Certificate certificate{ballot_, {}};
  for (const auto& [voter, signature] : grants_) certificate.grants.push_back({voter, signature});
  return certificate;
}

Instant Candidacy::next_wake() const {
  if (idle()) return Instant{Duration::max()};
  return stage_ == Stage::requesting && !every_voter_asked_ ? std::min(rest_at(), failed_at()) : failed_at();
}

}  // namespace tillsync
