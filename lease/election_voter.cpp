// A voter's moves: promising, following. Public doors and timing are in election.cpp.
#include "lease/election.hpp"
#include "storage/base/mutants.hpp"

namespace tillsync {

// What is wrong with a ballot in itself; null when nothing is.
const char* Election::fault_in(const Ballot& b, const TillId& from) const {
  if (b.branch != roster_.branch) return "a ballot of another branch";
  if (b.candidate != from) return "a ballot in another's name";
  if (!may_host(from) || votes_of(from) == 0) return "a ballot of one who has no vote";
  if (b.duration_ms > Roster::kMaxLeaseMs) return "a ballot for a longer lease than there are";
  if (b.term.value > highest_seen_.value + kFarAhead) return "a ballot of a term far beyond any";
  return nullptr;
}

bool Election::live_host_besides(const TillId& candidate, Instant now) const {
  return view(now).kind == LeaseKind::exclusive && lease_.host != candidate;
}

void Election::handle(Instant now, const TillId& from, const PreVote& m, LeaseActions& out) {
  const Ballot& b = m.ballot;
  show_again(from, now, out);
  if (const char* fault = fault_in(b, from)) return ignore(fault, out);
  PreVoteReply reply{b.nonce, std::max(highest_seen_, grantor_.current().term), false, 0, roster_.version};
  // It has promised a higher term, to someone who failed: only a renewal in a higher one still can win it back.
  if (hosts(now) && b.term > lease_.term.next()) see(Term{b.term.value - 1});
  const auto refusal = grantor_.refusal(now, b);
  const bool live_host = live_host_besides(from, now);
  reply.granted = !refusal && !live_host && b.roster_version == roster_.version;
  if (refusal) reply.remaining_ms = left_ms(refusal->remaining);
  if (live_host) reply.remaining_ms = std::max(reply.remaining_ms, left_ms(lease_.until - now));
  if (reply.granted && yielded_.insert(from).second) {                // let it try, once: it may be deaf
    const bool yields = stage_ == Stage::pre_voting && from < self_;  // nothing is promised yet
    if (yields) stage_ = Stage::idle;
    if (stage_ == Stage::idle) next_try_ = std::max(next_try_, now + milliseconds(60));
  }
  out.sends.push_back({from, reply});
}

void Election::handle(Instant now, const TillId& from, const RequestGrant& m, LeaseActions& out) {
  const Ballot& b = m.ballot;
  if (const char* fault = fault_in(b, from)) return ignore(fault, out);
  if (!right(b, from, m.signature)) return ignore("a request with a wrong signature", out);
  enter(b, from, m.signature, out);
  auto refusal = grantor_.refusal(now, b);
  if (!refusal && live_host_besides(from, now)) refusal = {{lease_.term, lease_.host, lease_.until - now}};
  if (refusal || b.roster_version != roster_.version || storing_) {
    const Promise& mine = grantor_.current();
    const Refusal why = refusal.value_or(Refusal{mine.term, mine.term.value > 0 ? mine.holder : self_, {}});
    out.sends.push_back({from, Deny{b.nonce, why.term, why.holder, left_ms(why.remaining), roster_.version}});
    return;
  }
  see(b.term);
  const bool must_store = grantor_.promise(now, b);
  unspoken_ = b;
  unspoken_to_ = from;
  if (must_store) {
    storing_ = true;
    out.promise = grantor_.current();
    return;
  }
  speak_promise(now, out);
}

LeaseActions Election::on_promise_durable(Instant now) {
  LeaseActions out;
  storing_ = false;
  speak_promise(now, out);
  if (stage_ == Stage::pre_voting) request_if_pre_elected(now, out);  // it waited for the disk
  return out;
}

void Election::speak_promise(Instant now, LeaseActions& out) {
  if (!unspoken_) return;
  const Ballot b = *unspoken_;
  unspoken_.reset();
  if (unspoken_to_ != self_) {
    out.sends.push_back({unspoken_to_, Grant{b, self_, Binary(key_.sign(b.grant_bytes(self_)))}});
  } else if (stage_ == Stage::requesting && b == ballot_) {
    speak_request(now, out);
  }
}

void Election::handle(Instant now, const TillId& from, const Release& m, LeaseActions& out) {
  grantor_.release(now, m.term, from);
  const bool provisional = lease_.kind == LeaseKind::provisional && m.term == Term{};
  if (lease_.host == from && (lease_.term == m.term || provisional)) {
    lease_ = {};
    out.host_changed = true;
    out.reason = from.text + " handed the lease back";
    next_try_ = now + (m.successor ? sixth() : patience());
    if (m.successor == self_) {
      named_until_ = now + sixth();
      next_try_ = now;
    }
  } else if (lease_.kind == LeaseKind::none && stage_ == Stage::idle) {
    next_try_ =
        std::min(next_try_, now + patience());  // a candidate gave up: what it had promised itself is free again
  }
}

void Election::handle(Instant now, const TillId& from, const Announce& m, LeaseActions& out) {
  const Duration remaining = std::min<Duration>(milliseconds(m.remaining_ms), promise_time(Roster::kMaxLeaseMs));
  if (m.certificate) {
    const Ballot& b = m.certificate->ballot;
    if (b.candidate != from || b.term != m.term) return ignore("another's certificate", out);
    if (b.roster_version != roster_.version) return ignore("a certificate of another version of the roster", out);
    if (!m.certificate->valid_for(roster_)) return ignore("a certificate that does not hold", out);
    for (const auto& [grantor, signature] : m.certificate->grants) enter(b, grantor, signature, out);
    const bool old = m.term < grantor_.current().term || (live_host_besides(from, now) && lease_.term > m.term);
    if (old) return ignore("a certificate of an older term", out);
    follow(now, LeaseKind::exclusive, from, m.term, remaining, out, from.text + " was elected");
    certificate_ = m.certificate;
    return;
  }
  const LeaseView current = view(now);
  if (m.renewed) {
    if (current.kind == LeaseKind::exclusive && current.host == from && current.term == m.term) {
      lease_.until = now + std::min(remaining, promise_time(roster_.lease_ms));
    } else if (current.kind != LeaseKind::exclusive) {  // of which lease? Whoever asks for votes is shown
      out.sends.push_back({from, PreVote{ballot(highest_seen_.next())}});
    }
    return;
  }
  if (current.kind == LeaseKind::exclusive) return;
  if (current.kind == LeaseKind::provisional && current.host != from && current.host < from) return;  // ours is better
  follow(now, LeaseKind::provisional, from, m.term, remaining, out, from.text + " hosts provisionally");
}

void Election::follow(Instant now, LeaseKind kind, const TillId& host, Term term, Duration remaining, LeaseActions& out,
                      const std::string& reason) {
  const bool fresh = lease_.host != host || lease_.kind != kind;
  if (fresh) {
    if (stage_ != Stage::idle) abandon(now, out, true);
    out.host_changed = true;
    out.reason = reason;
    certificate_.reset();
  }
  see(term);
  lost_ = 0;
  yielded_.clear();
  lease_ = {kind, host, term, fresh ? now : lease_.since, now + remaining};
}

}  // namespace tillsync
