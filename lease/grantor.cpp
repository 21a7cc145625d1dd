#include "lease/grantor.hpp"

#include "storage/mutants.hpp"

namespace tillsync {

Grantor::Grantor(std::optional<Promise> stored, Instant now) {
  if (!stored) return;
  promise_ = *stored;
  blocked_until_ = mutated(Mutant::grant_at_once) ? now : now + promise_time(promise_.duration_ms);
}

std::optional<Grantor::Refusal> Grantor::refusal(Instant now, const Ballot& ballot) const {
  if (mutated(Mutant::accept_old_term)) return std::nullopt;
  const bool same_holder = ballot.candidate == promise_.holder;
  if (same_holder && ballot.term >= promise_.term) return std::nullopt;
  const Duration remaining = std::max(Duration::zero(), bound_until() - now);
  if (ballot.term <= promise_.term || remaining > Duration::zero()) {
    return Refusal{promise_.term, promise_.holder, remaining};
  }
  return std::nullopt;
}

bool Grantor::promise(Instant now, const Ballot& ballot) {
  const Promise fresh{ballot.term, ballot.candidate, ballot.duration_ms};
  const bool changed = !(fresh == promise_);
  promise_ = fresh;
  until_ = std::max(until_, now + promise_time(ballot.duration_ms));
  return changed;
}

void Grantor::release(Instant now, Term term, const TillId& holder) {
  if (term != promise_.term || holder != promise_.holder) return;
  until_ = std::min(until_, now);
  blocked_until_ = std::min(blocked_until_, now);
}

}  // namespace tillsync
