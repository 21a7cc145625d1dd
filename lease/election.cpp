#include "lease/election.hpp"

#include <algorithm>

#include "storage/base/mutants.hpp"

namespace tillsync {

Election::Election(TillId self, SecretKey key, Roster roster, std::optional<Promise> stored, Random random, Instant now)
    : self_(std::move(self)),
      key_(key),
      roster_(std::move(roster)),
      random_(random),
      grantor_(stored, now),
      started_(now) {
  highest_seen_ = grantor_.current().term;
  next_try_ = std::max(now, grantor_.bound_until()) + patience();
}

LeaseActions Election::on_connected(Instant now, const TillId& peer) {
  LeaseActions out;
  connected_.insert(peer);
  shown_.erase(peer);
  if (hosts(now)) announce_to(peer, now, out);
  return out;
}

LeaseActions Election::on_disconnected(Instant now, const TillId& peer) {
  LeaseActions out;
  connected_.erase(peer);
  // The link is gone, not the promise: a successor waits until the lease has run out, a provisional one need not.
  if (lease_.host == peer && lease_.kind == LeaseKind::provisional) {
    lease_ = {};
    out.host_changed = true;
    out.reason = "the provisional host " + peer.text + " is out of reach";
    next_try_ = now + patience();
  }
  return out;
}

LeaseActions Election::on_message(Instant now, const TillId& from, const LeaseMessage& message) {
  LeaseActions out;
  std::visit([&](const auto& m) { handle(now, from, m, out); }, message);
  return out;
}

LeaseActions Election::on_roster(Instant now, const Roster& roster) {
  LeaseActions out;
  if (roster.version < roster_.version) return out;
  const bool votes_as_before = std::exchange(roster_, roster).version == roster.version;
  if (votes_as_before) return out;
  if (stage_ != Stage::idle) abandon(now, out, true);
  const bool voteless = votes_of(self_) == 0;
  if (hosts(now) && (voteless || (roster_.frozen && lease_.kind == LeaseKind::exclusive))) {
    auto down = on_step_down(now, std::nullopt,
                             voteless ? "this till has no vote any more"
                                      : "an emergency roster arrived: until it is confirmed no lease is exclusive");
    out.sends.insert(out.sends.end(), down.sends.begin(), down.sends.end());
    out.host_changed = true;
    out.reason = down.reason;
  }
  return out;
}

LeaseActions Election::on_wake(Instant now) {
  LeaseActions out;
  if (lease_.kind != LeaseKind::none && now >= lease_.until && !mutated(Mutant::never_expire)) {
    out.host_changed = true;
    out.reason =
        lease_.host == self_ ? "this till's lease ran out unrenewed" : "the lease of " + lease_.host.text + " ran out";
    if (lease_.host == self_) grantor_.release(now, grantor_.current().term, self_);  // what it promised itself
    lease_ = {};
    certificate_.reset();
    if (stage_ != Stage::idle) abandon(now, out, false);
    next_try_ = std::max(now, grantor_.bound_until()) + patience();
  }
  if (stage_ == Stage::requesting && now >= asked_at_ + sixth()) ask_the_rest(out);
  if (stage_ != Stage::idle && now >= asked_at_ + third()) {
    abandon(now, out, true);
    next_try_ = now + patience();
  }
  if (hosts(now) && now >= renew_at_) {
    renew_at_ = now + third();
    if (lease_.kind == LeaseKind::exclusive) {
      hand_to_fitter(now, out);
      if (!hosts(now)) return out;
      // A grantor that has promised a higher term to someone who failed can only be won back in a higher one.
      start_request(now, highest_seen_ > lease_.term ? highest_seen_.next() : lease_.term, out);
    } else {
      lease_.until = now + promise_time(roster_.lease_ms);
      announce(now, out);
    }
  }
  if (stage_ == Stage::idle && lease_.kind != LeaseKind::exclusive && now >= next_try_) {
    next_try_ = now + third() + patience();
    if (majority_connected() && votes_of(self_) > 0) {
      start_pre_vote(now, out);
    } else if (lease_.kind == LeaseKind::none && fittest()) {
      become_provisional(now, out);
    }
  }
  return out;
}

Instant Election::next_wake() const {
  Instant at{Duration::max()};
  if (lease_.kind != LeaseKind::none) at = lease_.until;
  if (lease_.kind != LeaseKind::none && lease_.host == self_) at = std::min(at, renew_at_);
  if (stage_ == Stage::idle && lease_.kind != LeaseKind::exclusive) at = std::min(at, next_try_);
  if (stage_ != Stage::idle) at = std::min(at, asked_at_ + third());
  if (stage_ == Stage::requesting && !asked_all_) at = std::min(at, asked_at_ + sixth());
  return at;
}

LeaseView Election::view(Instant now) const {
  return now < lease_.until || mutated(Mutant::never_expire) ? lease_ : LeaseView{};
}

bool Election::hosts(Instant now) const {
  return lease_.kind != LeaseKind::none && lease_.host == self_ && now < lease_.until;
}

LeaseActions Election::on_step_down(Instant now, std::optional<TillId> successor, const std::string& reason) {
  LeaseActions out;
  if (lease_.host != self_ || lease_.kind == LeaseKind::none) return out;
  // A provisional host has not asked for its term: it may do so later, and then this word must not free who granted.
  to_all(Release{lease_.kind == LeaseKind::exclusive ? lease_.term : Term{}, successor}, out);
  grantor_.release(now, lease_.term, self_);
  lease_ = {};
  certificate_.reset();
  if (stage_ != Stage::idle) abandon(now, out, false);
  next_try_ = now + milliseconds(roster_.lease_ms);
  out.host_changed = true;
  out.reason = reason;
  return out;
}

// The fitter tills move first, so that a split vote is rare. Where the network is slower than that
// head start, chance takes over: the longer nobody wins, the wider it spreads (Ongaro and Ousterhout 2014, 9.3).
Duration Election::patience() {
  std::int64_t rank = 0;
  for (const TillId& peer : connected_) rank += fitter(peer, self_) ? 1 : 0;
  return milliseconds(5 + 12 * std::min<std::int64_t>(rank, 10)) +
         milliseconds(random_.below(std::uint64_t{8} << std::min(lost_, 6U)));
}

bool Election::majority_connected() const {
  std::uint32_t votes = votes_of(self_);
  for (const TillId& peer : connected_) votes += votes_of(peer);
  return votes >= roster_.majority();
}

bool Election::majority_possible() const {
  std::uint32_t votes = votes_of(self_);
  for (const TillId& peer : connected_) votes += denied_.contains(peer) ? 0 : votes_of(peer);
  return votes >= roster_.majority();
}

bool Election::may_host(const TillId& till) const {
  const Member* member = roster_.find(till);
  return member != nullptr && member->role == Role::till;
}

// Of equally fit ones, the one with the lower name.
bool Election::fitter(const TillId& a, const TillId& b) const {
  const auto of = [&](const TillId& till) {
    const auto it = fitness_.find(till);
    return it == fitness_.end() ? 0 : it->second;
  };
  return may_host(a) && (of(a) != of(b) ? of(a) > of(b) : a < b);
}

bool Election::fittest() const {
  return std::none_of(connected_.begin(), connected_.end(), [&](const TillId& peer) { return fitter(peer, self_); });
}

std::optional<TillId> Election::fittest_peer() const {
  std::optional<TillId> best;
  for (const TillId& peer : connected_) {
    if (may_host(peer) && votes_of(peer) > 0 && (!best || fitter(peer, *best))) best = peer;
  }
  return best;
}

// Looked at when the lease is renewed. A lower name alone moves nothing.
void Election::hand_to_fitter(Instant now, LeaseActions& out) {
  const auto best = fittest_peer();
  const bool outdone = best && fitness_[*best] > fitness_[self_];
  if (!outdone) return outdone_at_.reset();
  if (!outdone_at_) outdone_at_ = now;
  if (now - *outdone_at_ < kOutdoneFor || now - lease_.since < kOutdoneFor) return;
  outdone_at_.reset();
  out = on_step_down(now, best, best->text + " is fitter to host");
}

Ballot Election::ballot(Term term) {
  return {roster_.branch, term, self_, random_.next(), roster_.lease_ms, fitness_[self_], roster_.version};
}

void Election::to_all(const LeaseMessage& message, LeaseActions& out) const {
  for (const TillId& peer : connected_) out.sends.push_back({peer, message});
}

void Election::to_voters(const LeaseMessage& message, LeaseActions& out) const {
  for (const TillId& peer : connected_) {
    if (votes_of(peer) > 0) out.sends.push_back({peer, message});
  }
}

void Election::ignore(const char* why, LeaseActions& out) {
  ++ignored_;
  out.ignored = why;
}

// Terms are worn out by nobody's say-so: what is absurdly far ahead is not followed.
void Election::see(Term term) {
  if (term.value <= highest_seen_.value + kFarAhead) highest_seen_ = std::max(highest_seen_, term);
}

void Election::enter(const Ballot& ballot, const TillId& grantor, const Binary& signature, LeaseActions& out) {
  auto evidence = book_.enter(ballot, grantor, signature);
  if (evidence && !out.evidence) out.evidence = std::move(evidence);
}

bool Election::right(const Ballot& ballot, const TillId& grantor, const Binary& signature) const {
  const Member* member = roster_.find(grantor);
  return member != nullptr && PublicKey::from_bytes(member->key)->verify(ballot.grant_bytes(grantor), signature);
}

}  // namespace tillsync
