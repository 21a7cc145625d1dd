// One till's candidacy: what it asks for, what it has collected, and whether that is enough. It sends nothing and knows
// no clock but the `now` that it is handed; who may be a candidate, and when, is decided elsewhere.
//
//   candidacy.pre_vote(now, ballot);          // would you grant this?
//   candidacy.count_pre_vote(peer);
//   if (candidacy.has_majority(roster)) candidacy.request(now, ballot);
//   candidacy.sent(own_signature, true);      // once the own promise is durable
//   candidacy.count_grant(peer, signature);
//   if (candidacy.has_majority(roster)) lease(candidacy.certificate());
#pragma once

#include <map>
#include <optional>
#include <set>
#include <tillsync/time.hpp>

#include "lease/messages.hpp"

namespace tillsync {

class Candidacy {
 public:
  enum class Stage { idle, pre_voting, requesting };

  Stage stage() const { return stage_; }
  bool idle() const { return stage_ == Stage::idle; }
  const Ballot& ballot() const { return ballot_; }  // the last one, when idle too
  Instant started() const { return started_; }      // a lease counts from then
  bool pre_voting_for(std::uint64_t nonce) const { return stage_ == Stage::pre_voting && ballot_.nonce == nonce; }
  bool requesting_for(std::uint64_t nonce) const { return stage_ == Stage::requesting && ballot_.nonce == nonce; }

  // Each starts with nothing collected; the candidate's own pre-vote counts at once, its own grant when it is sent.
  void pre_vote(Instant now, Ballot ballot);
  void request(Instant now, Ballot ballot);
  // The request is on its way, with the candidate's own grant: to every voter, or to those of the last certificate.
  void sent(const Binary& own_signature, bool to_every_voter);
  bool request_sent() const { return grants_.contains(ballot_.candidate); }
  // The request, once, if it went to some voters only: for the others.
  std::optional<RequestGrant> for_the_rest();
  void stop();

  void count_pre_vote(const TillId& voter) { pre_votes_.insert(voter); }
  void count_grant(const TillId& voter, const Binary& signature) { grants_[voter] = signature; }
  void count_denial(const TillId& voter);  // also of one that granted before
  bool has_majority(const Roster& roster) const;
  // With the votes of all those connected who have not denied.
  bool majority_possible(const Roster& roster, const std::set<TillId>& connected) const;
  Certificate certificate() const;  // of what is granted so far

  // A sixth of the lease after the start the rest is asked, after a third the candidacy has failed.
  bool rest_is_due(Instant now) const { return stage_ == Stage::requesting && now >= rest_at(); }
  bool has_failed(Instant now) const { return !idle() && now >= failed_at(); }
  Instant next_wake() const;  // the highest instant when there is nothing to wait for

 private:
  Instant rest_at() const { return started_ + milliseconds(ballot_.duration_ms) / 6; }
  Instant failed_at() const { return started_ + milliseconds(ballot_.duration_ms) / 3; }

  Stage stage_ = Stage::idle;
  Ballot ballot_;
  Instant started_;
  bool every_voter_asked_ = true;
  std::set<TillId> pre_votes_, denied_;
  std::map<TillId, Binary> grants_;
};

}  // namespace tillsync
