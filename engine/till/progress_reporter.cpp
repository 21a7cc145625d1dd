#include "engine/till/progress_reporter.hpp"

#include <algorithm>
#include <utility>

namespace tillsync {

// Not while a flush is in flight: ops in it have their stamps already.
void ProgressReporter::advance(const Moment& at) {
  if (at.mono() < next_ || progress_ || storing_ || log_.flushing() || peers_.upstream(at.lease) == nullptr) return;
  next_ = at.mono() + kEvery;
  progress_ = Progress{WireChain::of(log_.chain()), log_.last().seq, log_.clock().tick(at.wall_ms), {}};
}

void ProgressReporter::on_stored(const Moment& at, Actions& out) {
  if (!std::exchange(storing_, false) || !progress_) return;
  if (const Peer* up = peers_.upstream(at.lease)) {
    progress_->signature = Binary(context_.config.key.sign(progress_->signed_part(context_.config.branch)));
    out.send(up->id, *progress_);
  }
  progress_.reset();
}

Instant ProgressReporter::next_wake(bool has_upstream, Instant latest) const {
  return has_upstream ? std::min(latest, next_) : latest;
}

}  // namespace tillsync
