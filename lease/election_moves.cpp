// The moves of an election: what each message does. Public doors and timing are in election.cpp.
#include "lease/election.hpp"

#include "storage/mutants.hpp"

namespace tillsync {

namespace {
std::uint32_t ms_of(Duration d) { return static_cast<std::uint32_t>(std::max<std::int64_t>(0, to_ms(d))); }
}  // namespace

void Election::start_pre_vote(Instant now, LeaseActions& out) {
  highest_seen_ = std::max(highest_seen_, grantor_.current().term);
  ballot_ = ballot(highest_seen_.next());
  if (grantor_.refusal(now, ballot_)) return;  // this till is bound itself
  stage_ = Stage::pre_voting;
  asked_at_ = now;
  pre_votes_ = {self_};
  denied_.clear();
  to_all(PreVote{ballot_}, out);
  if (votes_of(self_) >= roster_.majority()) start_request(now, ballot_.term, out);
}

void Election::handle(Instant now, const TillId& from, const PreVote& m, LeaseActions& out) {
  const Ballot& b = m.ballot;
  if (b.branch != roster_.branch || b.candidate != from || votes_of(from) == 0) return void(++ignored_);
  PreVoteReply reply{b.nonce, std::max(highest_seen_, grantor_.current().term), false, 0, roster_.version};
  // It has promised a higher term, to someone who failed: only a renewal in a higher one still can win it back.
  if (hosts(now) && b.term > lease_.term.next()) highest_seen_ = std::max(highest_seen_, Term{b.term.value - 1});
  const auto refusal = grantor_.refusal(now, b);
  const bool live_host = view(now).kind == LeaseKind::exclusive && lease_.host != from;
  reply.granted = !refusal && !live_host && b.roster_version == roster_.version;
  if (refusal) reply.remaining_ms = ms_of(refusal->remaining);
  if (live_host) reply.remaining_ms = std::max(reply.remaining_ms, ms_of(lease_.until - now));
  if (reply.granted && yielded_.insert(from).second) {                // let it try, once: it may be deaf
    const bool yields = stage_ == Stage::pre_voting && from < self_;  // nothing is promised yet
    if (yields) stage_ = Stage::idle;
    if (stage_ == Stage::idle) next_try_ = std::max(next_try_, now + milliseconds(60));
  }
  out.sends.push_back({from, reply});
}

void Election::handle(Instant now, const TillId& from, const PreVoteReply& m, LeaseActions& out) {
  highest_seen_ = std::max(highest_seen_, m.term);
  if (stage_ != Stage::pre_voting || m.nonce != ballot_.nonce) return;
  if (!m.granted) {
    // Waiting as long as the promise that stands in the way, and no longer, is what makes a failover prompt.
    const Instant again = now + milliseconds(m.remaining_ms) + patience();
    if (m.remaining_ms > 0) next_try_ = std::min(next_try_, std::max(again, now + milliseconds(10)));
    denied_.insert(from);
    if (!majority_possible()) stage_ = Stage::idle;
    return;
  }
  pre_votes_.insert(from);
  std::uint32_t votes = 0;
  for (const TillId& till : pre_votes_) votes += votes_of(till);
  if (votes >= roster_.majority()) start_request(now, std::max(ballot_.term, highest_seen_.next()), out);
}

void Election::start_request(Instant now, Term term, LeaseActions& out) {
  if (storing_) return;  // a promise is on its way to the disk: at the next try
  ballot_ = ballot(term);
  if (grantor_.refusal(now, ballot_)) return abandon(now, out, false);  // this till is bound itself
  stage_ = Stage::requesting;
  asked_at_ = now;
  asked_all_ = true;
  grants_.clear();
  denied_.clear();
  if (!grantor_.promise(now, ballot_)) return speak_request(now, out);
  highest_seen_ = std::max(highest_seen_, term);
  unspoken_ = ballot_;
  unspoken_to_ = self_;
  storing_ = true;
  out.promise = grantor_.current();
}

void Election::speak_request(Instant now, LeaseActions& out) {
  const RequestGrant request{ballot_, Binary(key_.sign(ballot_.grant_bytes(self_)))};
  const std::vector<TillId> enough = last_grantors();
  asked_all_ = enough.empty();
  if (asked_all_) to_all(request, out);
  for (const TillId& grantor : enough) out.sends.push_back({grantor, request});
  count_grant(now, self_, request.signature, out);
}

// A renewal asks those whose grants made the last certificate; the others need not sign what nobody reads. Nobody when
// they are not all there, or not enough.
std::vector<TillId> Election::last_grantors() const {
  std::vector<TillId> all;
  if (!certificate_ || lease_.host != self_ || ballot_.term != lease_.term) return all;
  std::uint32_t votes = votes_of(self_);
  for (const auto& [grantor, unused] : certificate_->grants) {
    if (grantor == self_) continue;
    if (!connected_.contains(grantor)) return {};
    votes += votes_of(grantor);
    all.push_back(grantor);
  }
  return votes >= roster_.majority() ? all : std::vector<TillId>{};
}

void Election::ask_the_rest(LeaseActions& out) {
  const auto own = grants_.find(self_);
  if (asked_all_ || own == grants_.end()) return;
  asked_all_ = true;
  to_all(RequestGrant{ballot_, own->second}, out);
}

void Election::handle(Instant now, const TillId& from, const RequestGrant& m, LeaseActions& out) {
  const Ballot& b = m.ballot;
  const Member* member = roster_.find(from);
  const bool sound = member != nullptr && b.branch == roster_.branch && b.candidate == from && votes_of(from) > 0 &&
                     b.duration_ms <= Roster::kMaxLeaseMs &&
                     PublicKey::from_bytes(member->key)->verify(b.grant_bytes(from), m.signature);
  if (!sound) return void(++ignored_);
  const auto refusal = grantor_.refusal(now, b);
  if (refusal || b.roster_version != roster_.version || storing_) {
    const Grantor::Refusal why =
        refusal.value_or(Grantor::Refusal{grantor_.current().term, grantor_.current().holder, {}});
    out.sends.push_back({from, Deny{b.nonce, why.term, why.holder, ms_of(why.remaining), roster_.version}});
    return;
  }
  highest_seen_ = std::max(highest_seen_, b.term);
  const bool must_store = grantor_.promise(now, b);
  unspoken_ = b;
  unspoken_to_ = from;
  if (must_store) {
    storing_ = true;
    out.promise = grantor_.current();
    return;
  }
  LeaseActions spoken = on_promise_durable(now);
  out.sends.insert(out.sends.end(), spoken.sends.begin(), spoken.sends.end());
}

LeaseActions Election::on_promise_durable(Instant now) {
  LeaseActions out;
  storing_ = false;
  if (!unspoken_) return out;
  const Ballot b = *unspoken_;
  unspoken_.reset();
  if (unspoken_to_ != self_) {
    out.sends.push_back({unspoken_to_, Grant{b, self_, Binary(key_.sign(b.grant_bytes(self_)))}});
  } else if (stage_ == Stage::requesting && b == ballot_) {
    speak_request(now, out);
  }
  return out;
}

void Election::handle(Instant now, const TillId& from, const Grant& m, LeaseActions& out) {
  if (!(m.ballot == ballot_) || m.grantor != from) return void(++ignored_);
  if (stage_ != Stage::requesting) return;  // enough others were quicker
  const Member* member = roster_.find(from);
  if (member == nullptr || !PublicKey::from_bytes(member->key)->verify(ballot_.grant_bytes(from), m.signature)) {
    return void(++ignored_);
  }
  count_grant(now, from, m.signature, out);
}

void Election::count_grant(Instant now, const TillId& grantor, const Binary& signature, LeaseActions& out) {
  grants_[grantor] = signature;
  std::uint32_t votes = 0;
  for (const auto& [till, unused] : grants_) votes += votes_of(till);
  if (votes >= roster_.majority()) become_exclusive(now, out);
}

void Election::become_exclusive(Instant now, LeaseActions& out) {
  stage_ = Stage::idle;
  const Instant counted_from = mutated(Mutant::lease_from_receipt) ? now : asked_at_;
  const Instant until = counted_from + lease_time(roster_.lease_ms);
  if (now >= until) return;  // the grants came too late to be worth anything
  const bool fresh = lease_.kind != LeaseKind::exclusive || lease_.host != self_;
  const Instant since = fresh ? now : lease_.since;
  lease_ = {LeaseKind::exclusive, self_, ballot_.term, since, until};
  renew_at_ = asked_at_ + renewal();  // and once more a third later, if that fails
  Certificate certificate{ballot_, {}};
  for (const auto& [till, signature] : grants_) certificate.grants.push_back({till, signature});
  certificate_ = std::move(certificate);
  lost_ = 0;
  yielded_.clear();
  if (fresh) {
    out.host_changed = true;
    out.reason = "this till was elected in term " + std::to_string(ballot_.term.value);
  }
  announce(now, out);
}

void Election::become_provisional(Instant now, LeaseActions& out) {
  lease_ = {LeaseKind::provisional, self_, highest_seen_, now, now + promise_time(roster_.lease_ms)};
  renew_at_ = now + third();
  certificate_.reset();
  out.host_changed = true;
  out.reason = "no majority can be reached; this till hosts provisionally";
  announce(now, out);
}

void Election::announce(Instant now, LeaseActions& out) {
  to_all(Announce{lease_.term, ms_of(lease_.until - now), 0, certificate_}, out);
}

void Election::handle(Instant now, const TillId& from, const Deny& m, LeaseActions& out) {
  highest_seen_ = std::max(highest_seen_, m.term);
  if (stage_ != Stage::requesting || m.nonce != ballot_.nonce || roster_.find(from) == nullptr) return;
  grants_.erase(from);
  denied_.insert(from);
  if (hosts(now)) return ask_the_rest(out);  // a renewal may lose a vote; without a majority it lapses by itself
  if (majority_possible()) return;
  ++lost_;
  abandon(now, out, true);
  next_try_ = now + milliseconds(m.remaining_ms) + patience();
}

void Election::abandon(Instant now, LeaseActions& out, bool release) {
  if (release && stage_ == Stage::requesting && !hosts(now)) {  // so that a split vote costs no lease time
    to_all(Release{ballot_.term, std::nullopt}, out);
    grantor_.release(now, ballot_.term, self_);
  }
  stage_ = Stage::idle;
  grants_.clear();
}

void Election::handle(Instant now, const TillId& from, const Release& m, LeaseActions& out) {
  grantor_.release(now, m.term, from);
  if (lease_.host == from && lease_.term == m.term) {
    lease_ = {};
    out.host_changed = true;
    out.reason = from.text + " handed the lease back";
    next_try_ = now + (m.successor && *m.successor != self_ ? milliseconds(50) : patience());
  } else if (lease_.kind == LeaseKind::none && stage_ == Stage::idle) {
    next_try_ =
        std::min(next_try_, now + patience());  // a candidate gave up: what it had promised itself is free again
  }
}

void Election::handle(Instant now, const TillId& from, const Announce& m, LeaseActions& out) {
  const Duration remaining = std::min<Duration>(milliseconds(m.remaining_ms), promise_time(Roster::kMaxLeaseMs));
  if (m.certificate) {
    if (m.certificate->ballot.candidate != from || m.certificate->ballot.term != m.term ||
        m.term < grantor_.current().term || !m.certificate->valid_for(roster_)) {
      return void(++ignored_);
    }
    if (view(now).kind == LeaseKind::exclusive && lease_.term > m.term) return void(++ignored_);
    follow(now, LeaseKind::exclusive, from, m.term, remaining, out, from.text + " was elected");
    return;
  }
  const LeaseView current = view(now);
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
  highest_seen_ = std::max(highest_seen_, term);
  lost_ = 0;
  yielded_.clear();
  lease_ = {kind, host, term, fresh ? now : lease_.since, now + remaining};
}

}  // namespace tillsync
