#include "engine/till/divergent_copies.hpp"

#include <algorithm>
#include <utility>

namespace tillsync {

DivergentCopies::DivergentCopies(TillStore& store, const PeerTable& peers, ReplicaBuffer& replicas)
    : store_(store), peers_(peers), replicas_(replicas) {}

void DivergentCopies::advance(Instant now, Actions& out) {
  if (!replicas_.waits()) return;
  if (now >= next_) {
    next_ = now + kEvery;
    replicas_.on_tick();
    asked_.clear();
    show_batches(out);
  }
  ask_to_compare(out);
}

// A copy that the cloud has gone beyond may be a part of what it has. Its till is asked, if it is here, before the copy
// is taken for divergent.
void DivergentCopies::ask_to_compare(Actions& out) {
  for (const auto& [chain, end] : replicas_.to_compare()) {
    for (const auto& [id, peer] : peers_.all()) {
      if (peer.name != chain.till || std::exchange(asked_[id][chain], end) == end) continue;
      out.send(id, HistoryOffer{WireChain::of(chain), end, replicas_.find(chain)->record.cloud});
    }
  }
}

void DivergentCopies::show_batches(Actions& out) const {
  TillView view = store_.view();
  std::size_t shown = 0;
  for (const auto& [chain, end] : replicas_.divergent()) {
    for (const auto& [id, peer] : peers_.all()) {
      if (peer.name != chain.till) continue;
      const auto batch = view.divergent_batch(chain, end);
      const auto message = batch ? decode_message(*batch) : std::nullopt;
      if (!message || ++shown > kMaxBatches) continue;
      out.send(id, *message);
    }
  }
}

void DivergentCopies::on_ack(const Peer& from, const Ack& ack) {
  const auto peer = asked_.find(from.id);
  if (peer == asked_.end()) return;
  const auto asked = peer->second.find(ack.chain.id());
  if (asked != peer->second.end() && asked->second == ack.point) replicas_.on_contained(asked->first, ack.point);
}

void DivergentCopies::on_batch_ack(const Peer& from, const DivergentBatchAck& ack) {
  if (from.name == ack.chain.till) replicas_.on_divergent_acked(ack.chain.id(), ack.end);
}

Instant DivergentCopies::next_wake(Instant latest) const {
  return replicas_.waits() ? std::min(latest, next_) : latest;
}

}  // namespace tillsync
