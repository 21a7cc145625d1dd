// Who hosts the branch: one till's view and its moves. A pure state machine: each event comes with the time at which it
// happened, the answer says what to store, what to send and what changed; `next_wake()` says when to call on_wake. The
// protocol and its timing proof are docs/lease.md.
//
//   LeaseActions actions = election.on_message(now, from, message);
//   // first store actions.promise durably and report on_promise_durable(), send actions.sends right away
//
// Election checks what arrives, and puts the parts together: Candidacy asks, Voter promises, HostView holds or follows.
#pragma once

#include <optional>
#include <string>
#include <tillsync/time.hpp>
#include <vector>

#include "lease/announcer.hpp"
#include "lease/attempts.hpp"
#include "lease/candidacy.hpp"
#include "lease/electorate.hpp"
#include "lease/equivocation_detector.hpp"
#include "lease/fitness_ranking.hpp"
#include "lease/host_view.hpp"
#include "lease/messages.hpp"
#include "lease/voter.hpp"
#include "storage/base/random.hpp"

namespace tillsync {

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
  std::optional<TwoGrants> evidence;  // found for the first time

  void send(TillId to, LeaseMessage message) { sends.push_back({std::move(to), std::move(message)}); }
  void send_all(const auto& peers, const LeaseMessage& message) {
    for (const TillId& peer : peers) send(peer, message);
  }
  void change_host(std::string why) { host_changed = true, reason = std::move(why); }
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
  void on_fitness(const TillId& who, std::uint32_t fitness) { fitness_.report(who, fitness); }
  // Gives the lease up, in favour of `successor` if given.
  LeaseActions on_step_down(Instant now, std::optional<TillId> successor, const std::string& reason);
  Instant next_wake() const;

  // What holds at `now`; an expired lease is none.
  LeaseView view(Instant now) const { return host_.at(now); }
  bool hosts(Instant now) const { return host_.hosts(now); }
  // Of the lease, own or followed.
  const std::optional<Certificate>& certificate() const { return host_.certificate(); }
  std::uint64_t ignored() const { return ignored_; }  // stale, forged or foreign messages

 private:
  void handle(Instant now, const TillId& from, const PreVote& m, LeaseActions& out);
  void handle(Instant now, const TillId& from, const PreVoteReply& m, LeaseActions& out);
  void handle(Instant now, const TillId& from, const RequestGrant& m, LeaseActions& out);
  void handle(Instant now, const TillId& from, const Grant& m, LeaseActions& out);
  void handle(Instant now, const TillId& from, const Deny& m, LeaseActions& out);
  void handle(Instant now, const TillId& from, const Release& m, LeaseActions& out);
  void handle(Instant now, const TillId& from, const Announce& m, LeaseActions& out);

  void try_to_host(Instant now, LeaseActions& out);
  void start_pre_vote(Instant now, LeaseActions& out);
  void request_if_pre_elected(Instant now, LeaseActions& out);
  void start_request(Instant now, Term term, LeaseActions& out);
  void send_request(Instant now, LeaseActions& out);
  void ask_the_rest(LeaseActions& out);
  void on_counted_grant(Instant now, const TillId& grantor, const Binary& signature, LeaseActions& out);
  void abandon(Instant now, LeaseActions& out, bool release);

  void become_exclusive(Instant now, LeaseActions& out);
  void become_provisional(Instant now, LeaseActions& out);
  void renew(Instant now, LeaseActions& out);
  void step_down(Instant now, const std::optional<TillId>& successor, const std::string& reason, LeaseActions& out);
  void announce(Instant now, LeaseActions& out);
  void announce_to(const TillId& peer, Instant now, LeaseActions& out);
  void show_again(const TillId& peer, Instant now, LeaseActions& out);

  void on_certificate(Instant now, const TillId& from, const Announce& m, LeaseActions& out);
  void on_renewed(Instant now, const TillId& from, const Announce& m, LeaseActions& out);
  void on_provisional_host(Instant now, const TillId& from, const Announce& m, LeaseActions& out);
  void follow(Instant now, LeaseView lease, const std::optional<Certificate>& certificate, const std::string& reason,
              LeaseActions& out);
  void drop_expired(Instant now, LeaseActions& out);

  void ignore(const char* why, LeaseActions& out);
  void note_grant(const Ballot& ballot, const TillId& grantor, const Binary& signature, LeaseActions& out);
  const char* fault_in(const Ballot& ballot, const TillId& from) const;
  void see(Term term);
  bool tries() const { return candidacy_.idle() && host_.lease().kind != LeaseKind::exclusive; }
  Ballot new_ballot(Term term);
  Duration patience() { return attempts_.patience(fitness_.rank(self_, members_.rivals()), random_); }
  Duration lease_length() const { return milliseconds(members_.roster().lease_ms); }
  Duration third() const { return milliseconds(members_.roster().lease_ms) / 3; }
  Duration sixth() const { return milliseconds(members_.roster().lease_ms) / 6; }

  TillId self_;
  Random random_;
  Term highest_seen_;
  std::uint64_t ignored_ = 0;

  Electorate members_;
  FitnessRanking fitness_;
  Attempts attempts_;
  Candidacy candidacy_;
  Voter voter_;
  HostView host_;
  Announcer announcer_;
  EquivocationDetector detector_;
};

}  // namespace tillsync
