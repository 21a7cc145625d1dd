#include "engine/till/divergent_reissue.hpp"

#include <utility>

namespace tillsync {

DivergentReissue::DivergentReissue(LocalLog& log, const HistoryAcks& acks, const ForkList& forks)
    : log_(log), acks_(acks), forks_(forks) {}

void DivergentReissue::on_batch(const Peer& keeper, const OpenedPush& batch, Actions& out) {
  if (!forks_.empty()) return;  // one thing at a time; it will be shown again
  bool all_in_cloud = true;
  for (const OpenedOp& each : batch.ops) {
    if (each.op.kind == OpKind::incarnation || each.op.kind == OpKind::clock_correction) continue;
    all_in_cloud = is_in_cloud(each.op) && all_in_cloud;
  }
  if (all_in_cloud) out.send(keeper.id, DivergentBatchAck{WireChain::of(batch.chain), batch.end()});
}

// Records it anew if this till does not know it.
bool DivergentReissue::is_in_cloud(const Op& op) {
  const Origin origin{op.chain.incarnation, op.seq, op.hlc};
  const auto reissued = reissued_.find(origin);
  if (reissued != reissued_.end()) return reissued->second.value != 0 && reissued->second <= acks_.cloud().seq;
  const auto known = log_.history().find(op.key);
  if (known && known->op.kind == op.kind && known->op.body == op.body)
    return acks_.durability(op.key).value_or(Level::own_disk) == Level::cloud;
  if (log_.writing(op.key)) return false;
  Op again = op;
  again.origin = origin;
  reissued_[origin] = {};
  log_.record_own(std::move(again));
  return false;
}

void DivergentReissue::on_durable(const Op& op) {
  if (!op.origin) return;
  if (const auto it = reissued_.find(*op.origin); it != reissued_.end()) it->second = op.seq;
}

}  // namespace tillsync
