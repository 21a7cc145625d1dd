#include "engine/till/checkpointer.hpp"

#include <algorithm>
#include <utility>

namespace tillsync {

namespace {

TillState stored_state(TillStore& store, Random& random) {
  if (auto state = store.view().state()) return *state;
  TillState fresh;
  fresh.incarnation = Incarnation{random.nonzero()};
  return fresh;
}

// In the memory of the last one, if whoever wrote that has let go of it.
std::shared_ptr<StoreBatch> empty_batch(std::shared_ptr<StoreBatch> last) {
  if (!last || last.use_count() > 1) return std::make_shared<StoreBatch>();
  last->clear();
  return last;
}

}  // namespace

Checkpointer::Checkpointer(TillStore& store, Random& random, CheckpointTimer& timer)
    : store_(store), timer_(timer), state_(stored_state(store, random)) {
  timer_.start(StoredPart::kAtOnce);
}

void Checkpointer::start_if_due(const Moment& at, Actions& out) {
  if (in_flight_ || at.mono() < not_before_) return;
  if (!batch_) {
    const auto when = due();
    if (!when || at.mono() < *when) return;
    put_together(at, out);
  }
  in_flight_ = true;
  out.commit = batch_;
}

void Checkpointer::put_together(const Moment& at, Actions& out) {
  batch_ = empty_batch(std::exchange(finished_, nullptr));
  timer_.stop();
  TillView view = store_.view();
  Checkpoint into{view, *batch_, state_, out};
  for (StoredPart* part : parts_) part->write(at, into);
  batch_->state(state_);
}

bool Checkpointer::on_committed(const Moment& at, const Result<void>& outcome, Actions& out) {
  in_flight_ = false;
  if (!outcome) {
    if (succeeds_)
      out.alarm("the database can't be written: " + outcome.error().for_log() + " (sales go on in the journal)");
    succeeds_ = false;
    not_before_ = at.mono() + kRetryAfter;
    return false;
  }
  succeeds_ = true;
  finished_ = std::move(batch_);
  for (StoredPart* part : parts_) part->on_stored(at, out);
  return true;
}

std::optional<Instant> Checkpointer::due() const {
  std::optional<Instant> first = timer_.at();
  for (const StoredPart* part : parts_) {
    if (const auto at = part->due()) first = std::min(first.value_or(*at), *at);
  }
  return first;
}

Instant Checkpointer::next_wake(Instant now, Instant latest) const {
  if (now < not_before_) latest = std::min(latest, not_before_);
  if (in_flight_) return latest;
  const auto at = due();
  return at ? std::min(latest, std::max(*at, not_before_)) : latest;
}

}  // namespace tillsync
