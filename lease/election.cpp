#include "lease/election.hpp"

#include <algorithm>

#include "storage/base/mutants.hpp"

namespace tillsync {

namespace {

constexpr std::uint64_t kFarAhead = 1'000'000;  // terms
bool far_ahead(Term term, Term highest_seen) { return term.value > highest_seen.value + kFarAhead; }

// How long a host that announces itself says that it hosts, within bounds.
Instant until_of(Instant now, const Announce& m) {
  return now + std::min<Duration>(milliseconds(m.remaining_ms), promise_time(Roster::kMaxLeaseMs));
}

}  // namespace

Election::Election(TillId self, SecretKey key, Roster roster, std::optional<Promise> stored, Random random, Instant now)
    : self_(std::move(self)),
      random_(random),
      members_(self_, std::move(roster)),
      voter_(self_, key, std::move(stored), now),
      host_(self_) {
  highest_seen_ = voter_.current().term;
  attempts_.at(std::max(now, voter_.bound_until()) + patience());
}

LeaseActions Election::on_connected(Instant now, const TillId& peer) {
  LeaseActions out;
  members_.connect(peer);
  announcer_.forget(peer);
  if (hosts(now)) announce_to(peer, now, out);
  return out;
}

LeaseActions Election::on_disconnected(Instant now, const TillId& peer) {
  LeaseActions out;
  members_.disconnect(peer);
  // The link is gone, not the promise: a successor waits until the lease has run out, a provisional one need not.
  if (host_.is(LeaseKind::provisional, peer)) {
    host_.drop();
    out.change_host("the provisional host " + peer.text + " is out of reach");
    attempts_.at(now + patience());
  }
  return out;
}

LeaseActions Election::on_message(Instant now, const TillId& from, const LeaseMessage& message) {
  LeaseActions out;
  std::visit([&](const auto& m) { handle(now, from, m, out); }, message);
  return out;
}

LeaseActions Election::on_promise_durable(Instant now) {
  LeaseActions out;
  const auto ballot = voter_.on_durable();
  if (ballot && ballot->candidate != self_) {
    out.send(ballot->candidate, voter_.grant(*ballot));
  } else if (ballot && candidacy_.stage() == Candidacy::Stage::requesting && *ballot == candidacy_.ballot()) {
    send_request(now, out);
  }
  if (candidacy_.stage() == Candidacy::Stage::pre_voting) request_if_pre_elected(now, out);  // it waited for the disk
  return out;
}

LeaseActions Election::on_roster(Instant now, const Roster& roster) {
  LeaseActions out;
  if (!members_.take(roster)) return out;
  if (!candidacy_.idle()) abandon(now, out, true);
  if (!hosts(now)) return out;
  if (!members_.has_vote(self_)) {
    step_down(now, std::nullopt, "this till has no vote any more", out);
  } else if (roster.frozen && host_.lease().kind == LeaseKind::exclusive) {
    step_down(now, std::nullopt, "an emergency roster arrived: until it is confirmed no lease is exclusive", out);
  }
  return out;
}

LeaseActions Election::on_step_down(Instant now, std::optional<TillId> successor, const std::string& reason) {
  LeaseActions out;
  if (host_.own()) step_down(now, successor, reason, out);
  return out;
}

LeaseActions Election::on_wake(Instant now) {
  LeaseActions out;
  if (host_.ran_out(now)) drop_expired(now, out);
  if (candidacy_.rest_is_due(now)) ask_the_rest(out);
  if (candidacy_.has_failed(now)) {
    abandon(now, out, true);
    attempts_.at(now + patience());
  }
  if (host_.renewal_is_due(now)) renew(now, out);
  if (tries() && now >= attempts_.next()) try_to_host(now, out);
  return out;
}

Instant Election::next_wake() const {
  const Instant at = std::min(host_.next_wake(), candidacy_.next_wake());
  return tries() ? std::min(at, attempts_.next()) : at;
}

// Asking: pre-votes, then grants.

void Election::try_to_host(Instant now, LeaseActions& out) {
  attempts_.at(now + third() + patience());
  if (members_.majority_connected() && members_.has_vote(self_)) {
    start_pre_vote(now, out);
  } else if (host_.lease().kind == LeaseKind::none && fitness_.rank(self_, members_.rivals()) == 0) {
    become_provisional(now, out);
  }
}

void Election::start_pre_vote(Instant now, LeaseActions& out) {
  highest_seen_ = std::max(highest_seen_, voter_.current().term);
  candidacy_.pre_vote(now, new_ballot(highest_seen_.next()));
  if (voter_.refusal(now, candidacy_.ballot())) return candidacy_.stop();  // this till is bound itself
  out.send_all(members_.voters(), PreVote{candidacy_.ballot()});
  request_if_pre_elected(now, out);
}

void Election::handle(Instant now, const TillId& from, const PreVoteReply& m, LeaseActions& out) {
  see(m.term);
  if (!candidacy_.pre_voting_for(m.nonce)) return;
  if (m.granted) {
    candidacy_.count_pre_vote(from);
    return request_if_pre_elected(now, out);
  }
  attempts_.on_denial(now, milliseconds(m.remaining_ms), patience());
  candidacy_.count_denial(from);
  if (!candidacy_.majority_possible(members_.roster(), members_.connected())) candidacy_.stop();
}

void Election::request_if_pre_elected(Instant now, LeaseActions& out) {
  if (candidacy_.has_majority(members_.roster()))
    start_request(now, std::max(candidacy_.ballot().term, highest_seen_.next()), out);
}

void Election::start_request(Instant now, Term term, LeaseActions& out) {
  if (voter_.storing()) return;  // a promise is on its way to the disk: as soon as it is there
  candidacy_.request(now, new_ballot(term));
  if (voter_.refusal(now, candidacy_.ballot())) return abandon(now, out, false);  // this till is bound itself
  out.promise = voter_.promise(now, candidacy_.ballot());
  if (!out.promise) return send_request(now, out);
  highest_seen_ = std::max(highest_seen_, term);
}

// A renewal asks those whose grants made the last certificate; the others need not sign what nobody reads.
void Election::send_request(Instant now, LeaseActions& out) {
  const Ballot& ballot = candidacy_.ballot();
  const RequestGrant request{ballot, voter_.signature(ballot)};
  const bool renewal = host_.own() && host_.certificate() && ballot.term == host_.lease().term;
  const auto enough = renewal ? members_.grantors_again(*host_.certificate()) : std::vector<TillId>{};
  out.send_all(enough.empty() ? members_.voters() : enough, request);
  candidacy_.sent(request.signature, enough.empty());
  on_counted_grant(now, self_, request.signature, out);
}

void Election::ask_the_rest(LeaseActions& out) {
  if (const auto request = candidacy_.for_the_rest()) out.send_all(members_.voters(), *request);
}

void Election::handle(Instant now, const TillId& from, const Grant& m, LeaseActions& out) {
  if (m.grantor != from) return ignore("a grant in another's name", out);
  if (!(m.ballot == candidacy_.ballot()))
    return ignore("a grant that answers nothing that is asked now: late, or said again", out);
  if (candidacy_.stage() != Candidacy::Stage::requesting) return;  // enough others were quicker
  if (!members_.signed_by(from, m.ballot, m.signature)) return ignore("a grant with a wrong signature", out);
  candidacy_.count_grant(from, m.signature);
  on_counted_grant(now, from, m.signature, out);
}

void Election::handle(Instant now, const TillId& from, const Deny& m, LeaseActions& out) {
  see(m.term);
  if (!candidacy_.requesting_for(m.nonce) || members_.roster().find(from) == nullptr) return;
  candidacy_.count_denial(from);
  if (hosts(now)) return ask_the_rest(out);  // a renewal may lose a vote; without a majority it lapses by itself
  if (candidacy_.majority_possible(members_.roster(), members_.connected())) return;
  attempts_.on_lost();
  abandon(now, out, true);
  attempts_.at(now + milliseconds(m.remaining_ms) + patience());
}

void Election::on_counted_grant(Instant now, const TillId& grantor, const Binary& signature, LeaseActions& out) {
  note_grant(candidacy_.ballot(), grantor, signature, out);
  if (candidacy_.has_majority(members_.roster())) become_exclusive(now, out);
}

void Election::abandon(Instant now, LeaseActions& out, bool release) {
  const bool requesting = candidacy_.stage() == Candidacy::Stage::requesting;
  if (release && requesting && !hosts(now)) {  // so that a split vote costs no lease time
    // After a crash this till may ask in this term again, if its own promise is not durable: a late Release must not
    // free those who grant then. Nobody has heard of a request that was not sent.
    if (candidacy_.request_sent()) out.send_all(members_.connected(), Release{candidacy_.ballot().term, std::nullopt});
    voter_.release(now, candidacy_.ballot().term, self_);
  }
  candidacy_.stop();
}

// Hosting.

void Election::become_exclusive(Instant now, LeaseActions& out) {
  const Instant asked_at = candidacy_.started();
  Certificate certificate = candidacy_.certificate();
  const Term term = certificate.ballot.term;
  candidacy_.stop();
  const Instant counted_from = mutated(Mutant::lease_from_receipt) ? now : asked_at;
  const Instant until = counted_from + lease_time(members_.roster().lease_ms);
  if (now >= until) return;  // the grants came too late to be worth anything
  if (!host_.is(LeaseKind::exclusive, self_)) {
    out.change_host("this till was elected in term " + std::to_string(term.value));
  }
  host_.take({LeaseKind::exclusive, self_, term, now, until}, std::move(certificate));
  host_.renew_at(asked_at + lease_length() * 3 / 5);  // and once more a third later, if that fails
  attempts_.on_host();
  announce(now, out);
}

void Election::become_provisional(Instant now, LeaseActions& out) {
  const Instant until = now + promise_time(members_.roster().lease_ms);
  host_.take({LeaseKind::provisional, self_, highest_seen_, now, until}, std::nullopt);
  host_.renew_at(now + third());
  out.change_host("no majority can be reached; this till hosts provisionally");
  announce(now, out);
}

void Election::renew(Instant now, LeaseActions& out) {
  host_.renew_at(now + third());
  if (host_.lease().kind == LeaseKind::provisional) {
    host_.extend(now + promise_time(members_.roster().lease_ms));
    return announce(now, out);
  }
  std::vector<TillId> candidates = members_.rivals();
  std::erase_if(candidates, [&](const TillId& peer) { return !members_.has_vote(peer); });
  if (const auto successor = fitness_.successor(now, self_, host_.lease().since, candidates)) {
    out = {};  // what was to be asked is asked no more
    return step_down(now, successor, successor->text + " is fitter to host", out);
  }
  // A grantor that has promised a higher term to someone who failed can only be won back in a higher one.
  start_request(now, highest_seen_ > host_.lease().term ? highest_seen_.next() : host_.lease().term, out);
}

void Election::step_down(Instant now, const std::optional<TillId>& successor, const std::string& reason,
                         LeaseActions& out) {
  const Term term = host_.lease().term;
  // A provisional host has not asked for its term: it may do so later, and then this Release must not free the
  // grantors.
  const bool asked = host_.lease().kind == LeaseKind::exclusive;
  out.send_all(members_.connected(), Release{asked ? term : Term{}, successor});
  voter_.release(now, term, self_);
  host_.drop();
  if (!candidacy_.idle()) abandon(now, out, false);
  attempts_.at(now + lease_length());
  out.change_host(reason);
}

void Election::announce(Instant now, LeaseActions& out) {
  for (const TillId& peer : members_.connected()) announce_to(peer, now, out);
}

void Election::announce_to(const TillId& peer, Instant now, LeaseActions& out) {
  Announce announce = announcer_.announcement(now, peer, host_, candidacy_.ballot().fitness);
  const bool follows = members_.may_host(peer);  // the cloud remembers a term, and follows nobody
  if (follows || announce.certificate) out.send(peer, std::move(announce));
}

// To one that asks for votes although there is a host: it does not know. Not at each of its requests.
void Election::show_again(const TillId& peer, Instant now, LeaseActions& out) {
  if (!hosts(now) || host_.lease().kind != LeaseKind::exclusive || !members_.may_host(peer)) return;
  if (announcer_.show_again(now, peer, sixth())) announce_to(peer, now, out);
}

// Voting.

void Election::handle(Instant now, const TillId& from, const PreVote& m, LeaseActions& out) {
  show_again(from, now, out);
  if (const char* fault = fault_in(m.ballot, from)) return ignore(fault, out);
  const auto live_host = host_.live_host_besides(from, now);
  const auto reply = voter_.on_pre_vote(now, m.ballot, highest_seen_, live_host, members_.roster().version);
  // It has promised a higher term, to someone who failed: only a renewal in a higher one still can win it back.
  if (hosts(now) && m.ballot.term > host_.lease().term.next()) see(Term{m.ballot.term.value - 1});
  if (reply.granted && attempts_.yields_to(from)) {
    const bool nothing_promised = candidacy_.stage() == Candidacy::Stage::pre_voting;
    if (nothing_promised && from < self_) candidacy_.stop();
    if (candidacy_.idle()) attempts_.no_earlier_than(now + milliseconds(60));
  }
  out.send(from, reply);
}

void Election::handle(Instant now, const TillId& from, const RequestGrant& m, LeaseActions& out) {
  if (const char* fault = fault_in(m.ballot, from)) return ignore(fault, out);
  if (!members_.signed_by(from, m.ballot, m.signature)) return ignore("a request with a wrong signature", out);
  note_grant(m.ballot, from, m.signature, out);
  auto answer = voter_.on_request(now, m.ballot, host_.live_host_besides(from, now), members_.roster().version);
  if (!answer.denied) see(m.ballot.term);
  out.promise = answer.promise;
  if (answer.message) out.send(from, std::move(*answer.message));
}

void Election::handle(Instant now, const TillId& from, const Release& m, LeaseActions& out) {
  voter_.release(now, m.term, from);
  const LeaseView& lease = host_.lease();
  const bool provisional = lease.kind == LeaseKind::provisional && m.term == Term{};
  if (lease.host == from && (lease.term == m.term || provisional)) {
    host_.drop();
    out.change_host(from.text + " handed the lease back");
    attempts_.at(now + (m.successor ? sixth() : patience()));
    if (m.successor == self_) attempts_.on_named(now, sixth());
  } else if (lease.kind == LeaseKind::none && candidacy_.idle()) {
    attempts_.no_later_than(now + patience());  // a candidate gave up: what it had promised itself is free again
  }
}

// Following.

void Election::handle(Instant now, const TillId& from, const Announce& m, LeaseActions& out) {
  if (m.certificate) return on_certificate(now, from, m, out);
  m.renewed ? on_renewed(now, from, m, out) : on_provisional_host(now, from, m, out);
}

void Election::on_certificate(Instant now, const TillId& from, const Announce& m, LeaseActions& out) {
  if (const char* fault = members_.fault_in(*m.certificate, m.term, from)) return ignore(fault, out);
  for (const auto& [grantor, signature] : m.certificate->grants)
    note_grant(m.certificate->ballot, grantor, signature, out);
  const bool newer_host = host_.live_host_besides(from, now) && host_.lease().term > m.term;
  if (m.term < voter_.current().term || newer_host) return ignore("a certificate of an older term", out);
  follow(now, {LeaseKind::exclusive, from, m.term, now, until_of(now, m)}, m.certificate, from.text + " was elected",
         out);
}

void Election::on_renewed(Instant now, const TillId& from, const Announce& m, LeaseActions& out) {
  const LeaseView current = view(now);
  if (current.kind != LeaseKind::exclusive) {  // of which lease? Whoever asks for votes is shown
    out.send(from, PreVote{new_ballot(highest_seen_.next())});
  } else if (current.host == from && current.term == m.term) {
    host_.extend(std::min(until_of(now, m), now + promise_time(members_.roster().lease_ms)));
  }
}

void Election::on_provisional_host(Instant now, const TillId& from, const Announce& m, LeaseActions& out) {
  const LeaseView current = view(now);
  if (current.kind == LeaseKind::exclusive) return;
  if (current.kind == LeaseKind::provisional && current.host != from && current.host < from) return;  // ours is better
  follow(now, {LeaseKind::provisional, from, m.term, now, until_of(now, m)}, std::nullopt,
         from.text + " hosts provisionally", out);
}

void Election::follow(Instant now, LeaseView lease, const std::optional<Certificate>& certificate,
                      const std::string& reason, LeaseActions& out) {
  if (!host_.is(lease.kind, lease.host)) {
    if (!candidacy_.idle()) abandon(now, out, true);
    out.change_host(reason);
  }
  see(lease.term);
  attempts_.on_host();
  host_.take(std::move(lease), certificate);
}

void Election::drop_expired(Instant now, LeaseActions& out) {
  out.change_host(host_.own() ? "this till's lease ran out unrenewed"
                              : "the lease of " + host_.lease().host.text + " ran out");
  if (host_.own()) voter_.release(now, voter_.current().term, self_);  // what it promised itself
  host_.drop();
  if (!candidacy_.idle()) abandon(now, out, false);
  attempts_.at(std::max(now, voter_.bound_until()) + patience());
}

// What all of them use.

void Election::ignore(const char* why, LeaseActions& out) {
  ++ignored_;
  out.ignored = why;
}

const char* Election::fault_in(const Ballot& ballot, const TillId& from) const {
  if (const char* fault = members_.fault_in(ballot, from)) return fault;
  return far_ahead(ballot.term, highest_seen_) ? "a ballot of a term far beyond any" : nullptr;
}

// Terms are not worn out by a message: what is absurdly far ahead is not followed.
void Election::see(Term term) {
  if (!far_ahead(term, highest_seen_)) highest_seen_ = std::max(highest_seen_, term);
}

void Election::note_grant(const Ballot& ballot, const TillId& grantor, const Binary& signature, LeaseActions& out) {
  auto evidence = detector_.enter(ballot, grantor, signature);
  if (evidence && !out.evidence) out.evidence = std::move(evidence);
}

Ballot Election::new_ballot(Term term) {
  const Roster& roster = members_.roster();
  return {roster.branch, term, self_, random_.next(), roster.lease_ms, fitness_.of(self_), roster.version};
}

}  // namespace tillsync
