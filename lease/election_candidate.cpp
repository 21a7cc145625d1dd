// A candidate's moves: asking, counting, hosting. Public doors and timing are in election.cpp.
#include "lease/election.hpp"
#include "storage/base/mutants.hpp"

namespace tillsync {

void Election::start_pre_vote(Instant now, LeaseActions& out) {
  highest_seen_ = std::max(highest_seen_, grantor_.current().term);
  ballot_ = ballot(highest_seen_.next());
  if (grantor_.refusal(now, ballot_)) return;  // this till is bound itself
  stage_ = Stage::pre_voting;
  asked_at_ = now;
  pre_votes_ = {self_};
  denied_.clear();
  to_voters(PreVote{ballot_}, out);
  request_if_pre_elected(now, out);
}

void Election::request_if_pre_elected(Instant now, LeaseActions& out) {
  std::uint32_t votes = 0;
  for (const TillId& till : pre_votes_) votes += votes_of(till);
  if (votes >= roster_.majority()) start_request(now, std::max(ballot_.term, highest_seen_.next()), out);
}

void Election::handle(Instant now, const TillId& from, const PreVoteReply& m, LeaseActions& out) {
  see(m.term);
  if (stage_ != Stage::pre_voting || m.nonce != ballot_.nonce) return;
  if (!m.granted) {
    // Waiting as long as the promise that stands in the way, and no longer, is what makes a failover prompt.
    const Instant again = now + milliseconds(m.remaining_ms) + patience();
    if (now < named_until_) {  // the host's farewell is still on its way to this one
      next_try_ = now + milliseconds(15);
    } else if (m.remaining_ms > 0) {
      next_try_ = std::min(next_try_, std::max(again, now + milliseconds(10)));
    }
    denied_.insert(from);
    if (!majority_possible()) stage_ = Stage::idle;
    return;
  }
  pre_votes_.insert(from);
  request_if_pre_elected(now, out);
}

void Election::start_request(Instant now, Term term, LeaseActions& out) {
  if (storing_) return;  // a promise is on its way to the disk: as soon as it is there
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
  if (asked_all_) to_voters(request, out);
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
  to_voters(RequestGrant{ballot_, own->second}, out);
}

void Election::handle(Instant now, const TillId& from, const Grant& m, LeaseActions& out) {
  if (m.grantor != from) return ignore("a grant in another's name", out);
  if (!(m.ballot == ballot_)) return ignore("a grant that answers nothing that is asked now: late, or said again", out);
  if (stage_ != Stage::requesting) return;  // enough others were quicker
  if (!right(ballot_, from, m.signature)) return ignore("a grant with a wrong signature", out);
  count_grant(now, from, m.signature, out);
}

void Election::handle(Instant now, const TillId& from, const Deny& m, LeaseActions& out) {
  see(m.term);
  if (stage_ != Stage::requesting || m.nonce != ballot_.nonce || roster_.find(from) == nullptr) return;
  grants_.erase(from);
  denied_.insert(from);
  if (hosts(now)) return ask_the_rest(out);  // a renewal may lose a vote; without a majority it lapses by itself
  if (majority_possible()) return;
  ++lost_;
  abandon(now, out, true);
  next_try_ = now + milliseconds(m.remaining_ms) + patience();
}

void Election::count_grant(Instant now, const TillId& grantor, const Binary& signature, LeaseActions& out) {
  grants_[grantor] = signature;
  enter(ballot_, grantor, signature, out);
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
  for (const TillId& peer : connected_) announce_to(peer, now, out);
}

void Election::announce_to(const TillId& peer, Instant now, LeaseActions& out) {
  Announce announce{lease_.term, left_ms(lease_.until - now), ballot_.fitness, {}, false};
  if (certificate_) {
    Shown& shown = shown_[peer];
    const std::uint64_t version = certificate_->ballot.roster_version;
    announce.renewed = shown.term == lease_.term && shown.roster_version == version;
    if (!announce.renewed) announce.certificate = certificate_, shown = {lease_.term, version, now};
  }
  const bool follows = may_host(peer);  // the cloud remembers a term, and follows nobody
  if (follows || announce.certificate) out.sends.push_back({peer, std::move(announce)});
}

// To one that asks for votes although there is a host: it does not know. Not at its every word.
void Election::show_again(const TillId& peer, Instant now, LeaseActions& out) {
  if (!hosts(now) || lease_.kind != LeaseKind::exclusive || !may_host(peer)) return;
  if (const auto it = shown_.find(peer); it != shown_.end()) {
    if (now - it->second.at < sixth()) return;
    shown_.erase(it);
  }
  announce_to(peer, now, out);
}

void Election::abandon(Instant now, LeaseActions& out, bool release) {
  if (release && stage_ == Stage::requesting && !hosts(now)) {  // so that a split vote costs no lease time
    // After a crash this till may ask in this term again, if its own promise is not durable: such a request the late
    // word must not free. Nobody has heard of this one.
    const bool spoken = !unspoken_ || unspoken_to_ != self_;
    if (spoken) to_all(Release{ballot_.term, std::nullopt}, out);
    grantor_.release(now, ballot_.term, self_);
  }
  stage_ = Stage::idle;
  grants_.clear();
}

}  // namespace tillsync
