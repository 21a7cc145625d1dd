// Strays: ops of a till that others hold and that the cloud's history of it may not contain, after a fork or a restored
// cloud. Whoever keeps them shows them to their till, again and again, until it says that all of them are in the cloud.
#include <algorithm>
#include <utility>

#include "engine/till/till_core.hpp"

namespace tillsync {

namespace {
constexpr std::size_t kMaxBatches = 64;  // shown at a time: 16 MiB at most, half of what a link queues
}

void TillCore::pump_divergent(Now now, Actions& out) {
  if (!replicas_.waits()) return;
  if (now.mono >= next_divergent_) {
    next_divergent_ = now.mono + kDivergentEvery;
    replicas_.on_tick();
    for (auto& [id, peer] : peers_) peer.compares.clear();
    show_divergent(out);
  }
  ask_to_compare(out);
}

// A copy that the cloud has gone beyond may be a part of what it has. Its till tells, if it is here; before it is a
// stray.
void TillCore::ask_to_compare(Actions& out) {
  for (const auto& [chain, end] : replicas_.to_compare()) {
    for (auto& [id, peer] : peers_) {
      if (peer.name != chain.till || std::exchange(peer.compares[chain], end) == end) continue;
      out.send(id, HistoryOffer{WireChain::of(chain), end, replicas_.find(chain)->record.cloud});
    }
  }
}

void TillCore::show_divergent(Actions& out) {
  TillView view = store_.view();
  std::size_t shown = 0;
  for (const auto& [chain, end] : replicas_.divergent()) {
    for (const auto& [id, peer] : peers_) {
      if (peer.name != chain.till) continue;
      const auto batch = view.divergent_batch(chain, end);
      const auto message = batch ? decode_message(*batch) : std::nullopt;
      if (!message || ++shown > kMaxBatches) continue;
      out.send(id, *message);
    }
  }
}

// What this till no longer knows, it records anew, naming the place that it had.
void TillCore::take_divergent(PeerId from, const OpenedPush& batch, Actions& out) {
  if (!state_.forks.empty()) return;  // one thing at a time; it will be shown again
  bool all_in_cloud = true;
  for (const OpenedOp& each : batch.ops) {
    const Op& op = each.op;
    if (op.kind == OpKind::incarnation || op.kind == OpKind::clock_correction) continue;
    const Origin origin{op.chain.incarnation, op.seq, op.hlc};
    const auto reissued = reissued_divergent_.find(origin);
    if (reissued != reissued_divergent_.end()) {
      all_in_cloud = all_in_cloud && reissued->second.value != 0 && reissued->second <= state_.cloud.seq;
      continue;
    }
    const auto known = log_.find(op.key);
    if (known && known->op.kind == op.kind && known->op.body == op.body) {
      all_in_cloud = all_in_cloud && where(op.key).value_or(Level::own_disk) == Level::cloud;
      continue;
    }
    all_in_cloud = false;
    if (log_.writing(op.key)) continue;
    Op again = op;
    again.origin = origin;
    reissued_divergent_[origin] = {};
    log_.record_own(std::move(again));
  }
  if (all_in_cloud) out.send(from, DivergentBatchAck{WireChain::of(batch.chain), batch.end()});
}

void TillCore::handle(Now, PeerId from, DivergentBatchAck& m, Actions&) {
  if (peer_of(from)->name == m.chain.till) replicas_.on_divergent_acked(m.chain.id(), m.end);
}

}  // namespace tillsync
