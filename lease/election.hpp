// Who hosts the branch: one till's view and its moves. A pure state machine: it is told what happened and when, and
// answers with what to store, what to send and what changed; `next_wake()` says when to call on_wake. The protocol and
// its timing proof are docs/lease.md.
//
//   LeaseActions actions = election.on_message(now, from, message);
//   // first store actions.promise durably and report on_promise_durable(), send actions.sends right away
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tillsync/time.hpp>
#include <vector>

#include "lease/equivocation_detector.hpp"
#include "lease/grantor.hpp"
#include "lease/messages.hpp"
#include "storage/base/random.hpp"

namespace tillsync {

enum class LeaseKind : std::uint8_t { none, provisional, exclusive };

struct LeaseView {
  LeaseKind kind = LeaseKind::none;
  TillId host;
  Term term;
  Instant since;
  Instant until;
};

struct LeaseActions {
  std::optional<Promise> promise;  // store durably, then call on_promise_durable
  struct Send {
    TillId to;
    LeaseMessage message;
  };
  std::vector<Send> sends;
  bool host_changed = false;
  std::string reason;                 // of the change, for the log and the manager
  std::string ignored;                // why the message changed nothing: stale, forged, or of another branch
  std::optional<TwoGrants> evidence;  // come upon for the first time
};

class Election {
 public:
  Election(TillId self, SecretKey key, Roster roster, std::optional<Promise> stored, Random random, Instant now);

  LeaseActions on_connected(Instant now, const TillId& peer);
  LeaseActions on_disconnected(Instant now, const TillId& peer);
  LeaseActions on_message(Instant now, const TillId& from, const LeaseMessage& message);
  LeaseActions on_promise_durable(Instant now);
  LeaseActions on_roster(Instant now, const Roster& roster);
  LeaseActions on_wake(Instant now);
  // How fit this till or a peer is to host: the host hands over to one that stays fitter.
  void on_fitness(const TillId& who, std::uint32_t fitness) { fitness_[who] = fitness; }
  // Gives the lease up, in favour of `successor` if given.
  LeaseActions on_step_down(Instant now, std::optional<TillId> successor, const std::string& reason);
  Instant next_wake() const;

  // What holds at `now`; an expired lease is none.
  LeaseView view(Instant now) const;
  bool hosts(Instant now) const;
  const std::optional<Certificate>& certificate() const { return certificate_; }  // of the lease, own or followed
  std::uint64_t ignored() const { return ignored_; }                              // stale, forged or foreign messages

 private:
  static constexpr Duration kOutdoneFor = seconds(30);
  static constexpr std::uint64_t kFarAhead = 1'000'000;  // terms

  void handle(Instant now, const TillId& from, const PreVote& m, LeaseActions& out);
  void handle(Instant now, const TillId& from, const PreVoteReply& m, LeaseActions& out);
  void handle(Instant now, const TillId& from, const RequestGrant& m, LeaseActions& out);
  void handle(Instant now, const TillId& from, const Grant& m, LeaseActions& out);
  void handle(Instant now, const TillId& from, const Deny& m, LeaseActions& out);
  void handle(Instant now, const TillId& from, const Release& m, LeaseActions& out);
  void handle(Instant now, const TillId& from, const Announce& m, LeaseActions& out);

  enum class Stage { idle, pre_voting, requesting };
  void start_pre_vote(Instant now, LeaseActions& out);
  void request_if_pre_elected(Instant now, LeaseActions& out);
  void start_request(Instant now, Term term, LeaseActions& out);
  void speak_request(Instant now, LeaseActions& out);
  void speak_promise(Instant now, LeaseActions& out);
  std::vector<TillId> last_grantors() const;
  void ask_the_rest(LeaseActions& out);
  void abandon(Instant now, LeaseActions& out, bool release);
  void count_grant(Instant now, const TillId& grantor, const Binary& signature, LeaseActions& out);
  void become_exclusive(Instant now, LeaseActions& out);
  void become_provisional(Instant now, LeaseActions& out);
  void announce_to(const TillId& peer, Instant now, LeaseActions& out);
  void show_again(const TillId& peer, Instant now, LeaseActions& out);
  void announce(Instant now, LeaseActions& out);
  void follow(Instant now, LeaseKind kind, const TillId& host, Term term, Duration remaining, LeaseActions& out,
              const std::string& reason);
  void to_all(const LeaseMessage& message, LeaseActions& out) const;
  void to_voters(const LeaseMessage& message, LeaseActions& out) const;
  void ignore(const char* why, LeaseActions& out);
  void see(Term term);
  void enter(const Ballot& ballot, const TillId& grantor, const Binary& signature, LeaseActions& out);
  const char* fault_in(const Ballot& ballot, const TillId& from) const;
  bool right(const Ballot& ballot, const TillId& grantor, const Binary& signature) const;
  bool live_host_besides(const TillId& candidate, Instant now) const;
  bool may_host(const TillId& till) const;
  bool fitter(const TillId& a, const TillId& b) const;
  std::optional<TillId> fittest_peer() const;
  void hand_to_fitter(Instant now, LeaseActions& out);
  bool majority_connected() const;
  bool majority_possible() const;  // of those who have not denied
  bool fittest() const;
  Duration renewal() const { return milliseconds(roster_.lease_ms) * 3 / 5; }
  Duration third() const { return milliseconds(roster_.lease_ms) / 3; }
  Duration sixth() const { return milliseconds(roster_.lease_ms) / 6; }
  Duration patience();
  Ballot ballot(Term term);
  std::uint32_t votes_of(const TillId& till) const { return roster_.votes_of(till); }

  TillId self_;
  SecretKey key_;
  Roster roster_;
  Random random_;
  Grantor grantor_;
  std::set<TillId> connected_;  // tills, and the cloud while it is
  std::map<TillId, std::uint32_t> fitness_;
  EquivocationDetector book_;

  LeaseView lease_;  // own or followed
  std::optional<Certificate> certificate_;
  Term highest_seen_;

  Stage stage_ = Stage::idle;
  Ballot ballot_;
  Instant asked_at_;
  bool asked_all_ = true;
  std::set<TillId> pre_votes_;
  std::map<TillId, Binary> grants_;
  std::set<TillId> denied_;
  struct Shown {  // the certificate
    Term term;
    std::uint64_t roster_version = 0;
    Instant at;
  };
  std::map<TillId, Shown> shown_;
  std::optional<Ballot> unspoken_;  // promised to this ballot, not durable yet
  TillId unspoken_to_;
  bool storing_ = false;

  Instant started_;
  Instant next_try_;
  std::set<TillId> yielded_;  // to whom, since somebody last hosted
  unsigned lost_ = 0;         // attempts since somebody last won
  Instant renew_at_;
  Instant named_until_;                // the last host wished this till to be the next
  std::optional<Instant> outdone_at_;  // since when a peer is fitter than this host
  std::uint64_t ignored_ = 0;
};

}  // namespace tillsync
