#include "lease/grantor.hpp"

#include "storage/base/mutants.hpp"

namespace tillsync {

Grantor::Grantor(std::optional<Promise> stored, Instant now) {
  if (!stored) return;
  promise_ = *stored;
  blocked_until_ = mutated(Mutant::grant_at_once) ? now : now + promise_time(promise_.duration_ms);
}

std::optional<Refusal> refusal_of(const Promise& promise, Instant bound_until, Instant now, const Ballot& ballot) {
  if (mutated(Mutant::accept_old_term)) return std::nullopt;
  // Of term 0 it is not known whose it was.
  const bool same_holder = promise.term > Term{} && ballot.candidate == promise.holder;
  if (same_holder && ballot.term >= promise.term) return std::nullopt;
  const Duration remaining = std::max(Duration::zero(), bound_until - now);
  if (ballot.term <= promise.term || remaining > Duration::zero()) {
    return Refusal{promise.term, promise.holder, remaining};
  }
  return std::nullopt;
}

std::optional<Refusal> Grantor::refusal(Instant now, const Ballot& ballot) const {
  return refusal_of(promise_, bound_until(), now, ballot);
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
