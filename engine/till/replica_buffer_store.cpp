// What goes into the database of other tills' histories, and what goes from there.
#include <algorithm>
#include <utility>

#include "engine/till/replica_buffer.hpp"
#include "storage/base/mutants.hpp"

namespace tillsync {

// Of what came from others into one commit: less than a till has under way, so that it sends the next meanwhile.
constexpr std::size_t kMaxFormBytes = 2 << 20;

void ReplicaBuffer::form(TillView& view, StoreBatch& batch) {
  for (const auto& [id, copies] : anew_) {
    reset_cloud(id, copies, view, batch);
    committing_[id] = chains_[id].received;  // whoever sends more hears where it begins again
  }
  anew_.clear();
  for (const auto& [chain, end] : acked_divergent_) {
    batch.drop_divergent_batch(chain, end);
    divergent_.erase({chain, end});
  }
  acked_divergent_.clear();
  form_pushes(batch);
  for (const auto& [id, in_cloud] : touched_) form_record(id, in_cloud, view, batch);
  touched_.clear();
}

void ReplicaBuffer::form_pushes(StoreBatch& batch) {
  std::size_t bytes = 0;
  auto push_at = queued_.begin();
  for (; push_at != queued_.end() && bytes < kMaxFormBytes; ++push_at) {
    OpenedPush& push = *push_at;
    for (const OpenedOp& op : push.ops) bytes += op.bytes.size();
    Chain& chain = chains_[push.chain];
    const bool reset_since = push.end().seq > chain.received.seq || push.end().seq <= chain.record.base.seq;
    if (reset_since) continue;               // what is missing will be sent again
    const Seq let_go = pruned_[push.chain];  // while it waited
    for (const OpenedOp& op : push.ops) {
      if (op.op.seq > let_go) batch.relay_op(push.chain, op.op.seq, op.bytes);
    }
    batch.relay_signature(push.chain, push.end().seq, push.signature);
    committing_[push.chain] = push.end();
    touched_.try_emplace(push.chain);
    in_commit_.push_back(std::move(push));
  }
  queued_.erase(queued_.begin(), push_at);
}

// `in_cloud`: where the cloud has just what is held here. It may have gone back since, or on, beyond what is held.
void ReplicaBuffer::form_record(const ChainId& id, const ChainPoint& in_cloud, TillView& view, StoreBatch& batch) {
  Chain& chain = chains_[id];
  ChainRecord record = chain.record;
  if (committing_.contains(id)) record.held = committing_[id];
  const ChainPoint let_go = mutated(Mutant::prune_unread) ? record.held : std::min(in_cloud, record.cloud);
  Seq& pruned = pruned_[id];
  if (let_go.seq > pruned) {
    view.relay_ops(id, pruned.next(), [&](Seq first, ByteView) {  // where those that are held begin
      const Seq end = std::min(let_go.seq, std::max(chain.received.seq, record.held.seq));
      for (Seq seq = first; seq <= end; seq = seq.next()) batch.relay_forget(id, seq);
      return false;
    });
    pruned = let_go.seq;
    if (let_go.seq > record.base.seq) chain.record.base = record.base = let_go;
  }
  if (chain.received.seq == record.base.seq && record.cloud.seq > record.base.seq) {  // nothing is held any more
    chain.received = chain.record.base = committing_[id] = record.cloud;
    record.base = record.held = record.cloud;
    pruned = record.cloud.seq;
    ahead_.erase(id);
  }
  batch.chain(id, record);
}

void ReplicaBuffer::reset_cloud(const ChainId& id, Copies copies, TillView& view, StoreBatch& batch) {
  Chain& chain = chains_[id];
  Push push{WireChain::of(id), {}, {}, {}};
  auto keep = [&](const ChainPoint& end, ByteView signature) {
    if (copies == Copies::let_go) return push.ops.clear();
    push.signature = Binary(signature);
    batch.divergent_batch(id, end, encode(Message(push)));
    divergent_.insert({id, end});
    push.ops.clear();
  };
  view.relay_ops(id, chain.record.base.seq.next(), [&](Seq seq, ByteView op) {
    if (push.ops.empty()) push.first = seq;
    push.ops.emplace_back(op);
    batch.relay_forget(id, seq);
    if (auto signature = view.relay_signature_within(id, seq, seq)) keep({seq, blake2b(op)}, signature->second);
    return true;
  });
  push.ops.clear();
  for (const OpenedPush& queued : queued_) {
    if (queued.chain != id) continue;
    push.first = queued.ops.front().op.seq;
    for (const OpenedOp& op : queued.ops) push.ops.emplace_back(op.bytes);
    keep(queued.end(), queued.signature);
  }
  std::erase_if(queued_, [&](const OpenedPush& queued) { return queued.chain == id; });
  chain.record.base = chain.record.held = chain.received = chain.record.cloud;
  pruned_[id] = chain.record.cloud.seq;
}

std::vector<ChainId> ReplicaBuffer::on_committed() {
  std::vector<ChainId> moved;
  for (const auto& [id, end] : committing_) {
    Chain& chain = chains_[id];
    if (end.seq <= chain.received.seq) chain.record.held = end;
    moved.push_back(id);
  }
  committing_.clear();
  in_commit_.clear();
  return moved;
}

}  // namespace tillsync
