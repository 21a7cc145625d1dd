#include "engine/till/relay.hpp"

#include <algorithm>

namespace tillsync {

Relay::Relay(TillStore& store) : store_(store) {
  for (const auto& [id, record] : store.view().chains()) chains_[id] = {record, record.held, true};
}

const Relay::Chain* Relay::find(const ChainId& chain) const {
  const auto it = chains_.find(chain);
  return it == chains_.end() ? nullptr : &it->second;
}

const Relay::Chain& Relay::on_offer(const ChainId& id, const ChainPoint& cloud) {
  Chain& chain = chains_[id];
  if (!chain.settled && chain.received.seq == Seq{} && cloud.seq > Seq{}) {
    chain.record = {cloud, cloud, {}, false};
    chain.received = cloud;
  }
  return chain;
}

Verdict Relay::on_push(OpenedPush push) {
  Chain& chain = chains_[push.chain];
  const Judged judged = judge(chain.received, push);
  if (judged.verdict != Verdict::append) return judged.verdict;
  push.ops.erase(push.ops.begin(), push.ops.begin() + static_cast<std::ptrdiff_t>(judged.first_new));
  chain.received = push.end();
  chain.settled = true;
  queued_.push_back(std::move(push));
  return Verdict::append;
}

void Relay::reset(Chain& chain, const ChainPoint& at) { chain.record.base = chain.record.held = chain.received = at; }

bool Relay::on_cloud(const ChainId& id, const ChainPoint& point) {
  const auto it = chains_.find(id);
  if (it == chains_.end()) return true;
  Chain& chain = it->second;
  if (chain.record.cloud == point) return false;
  chain.record.cloud = point;
  // Ahead of us, or behind everything we have: either way our copy starts again at the cloud's watermark.
  if (point.seq > chain.received.seq || point.seq < chain.record.base.seq) reset(chain, point);
  Seq& until = touched_[id];
  until = std::max(until, point.seq);
  return true;
}

void Relay::form(TillView& view, StoreBatch& batch) {
  for (OpenedPush& push : queued_) {
    Chain& chain = chains_[push.chain];
    const bool reset_since = push.end().seq > chain.received.seq || push.end().seq <= chain.record.base.seq;
    if (reset_since) continue;  // what is missing will be sent again
    for (const OpenedOp& op : push.ops) batch.relay_op(push.chain, op.op.seq, op.bytes);
    batch.relay_signature(push.chain, push.end().seq, push.signature);
    committing_[push.chain] = push.end();
    touched_.try_emplace(push.chain, Seq{});
  }
  queued_.clear();
  for (const auto& [id, until] : touched_) {
    Chain& chain = chains_[id];
    ChainRecord record = chain.record;
    if (committing_.contains(id)) record.held = committing_[id];
    Seq& pruned = pruned_[id];
    const Seq limit = std::min(until, record.cloud.seq);
    if (limit > pruned) {
      view.relay_ops(id, pruned.next(), [&](Seq seq, ByteView) {
        if (seq > limit) return false;
        batch.relay_forget(id, seq);
        return true;
      });
      pruned = limit;
      if (record.cloud.seq > record.base.seq) chain.record.base = record.base = record.cloud;
    }
    batch.chain(id, record);
  }
  touched_.clear();
}

std::vector<ChainId> Relay::on_committed() {
  std::vector<ChainId> moved;
  for (const auto& [id, end] : committing_) {
    Chain& chain = chains_[id];
    if (end.seq <= chain.received.seq) chain.record.held = end;
    moved.push_back(id);
  }
  committing_.clear();
  return moved;
}

Relay::Slice Relay::read(const ChainId& id, Seq from) const {
  Slice slice;
  const Chain* chain = find(id);
  if (chain == nullptr || chain->record.forked || from > chain->record.held.seq) return slice;
  TillView view = store_.view();
  std::size_t bytes = 0;
  Seq end{from.value - 1};
  view.relay_ops(id, from, [&](Seq seq, ByteView op) {
    if (seq != end.next() || seq > chain->record.held.seq) return false;
    if (!slice.ops.empty() && (bytes + op.size() > kMaxBatchBytes || slice.ops.size() >= kMaxBatchOps)) return false;
    bytes += op.size();
    slice.ops.emplace_back(op);
    end = seq;
    return true;
  });
  auto signature = slice.ops.empty() ? std::nullopt : view.relay_signature_within(id, from, end);
  if (!signature) return {};
  slice.ops.resize(signature->first.value - from.value + 1);
  slice.signature = Binary(std::move(signature->second));
  slice.end = {signature->first, blake2b(slice.ops.back())};
  return slice;
}

std::uint64_t Relay::unsent() const {
  std::uint64_t sum = 0;
  for (const auto& [id, chain] : chains_) {
    if (chain.record.held.seq > chain.record.cloud.seq && chain.settled) {
      sum += chain.record.held.seq.value - std::max(chain.record.cloud.seq, chain.record.base.seq).value;
    }
  }
  return sum;
}

}  // namespace tillsync
