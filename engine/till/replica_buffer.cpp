#include "engine/till/replica_buffer.hpp"

#include <algorithm>
#include <utility>

namespace tillsync {

ReplicaBuffer::ReplicaBuffer(TillStore& store) : store_(store) {
  for (const auto& [id, record] : store.view().chains()) {
    // Doubted before the restart, or what it begins with was never confirmed.
    const bool doubted = record.cloud.seq < record.base.seq;
    chains_[id] = {record, record.held, true, record.cloud.seq, doubted};
    if (record.cloud.seq > record.held.seq && record.held.seq > record.base.seq) ahead_.insert({id, false});
  }
  store.view().divergent([&](const ChainId& chain, const ChainPoint& end) { divergent_.insert({chain, end}); });
}

const ReplicaBuffer::Chain* ReplicaBuffer::find(const ChainId& chain) const {
  const auto it = chains_.find(chain);
  return it == chains_.end() ? nullptr : &it->second;
}

const ReplicaBuffer::Chain* ReplicaBuffer::on_offer(const ChainId& id, const ChainPoint& cloud, bool by_its_till) {
  const auto known = chains_.find(id);
  const bool full = known == chains_.end() && std::ranges::count_if(chains_, [&](const auto& each) {
                                                return each.first.till == id.till && !each.second.settled;
                                              }) >= kMaxEmptyChains;
  if (full) return nullptr;
  Chain& chain = known == chains_.end() ? chains_[id] : known->second;
  chain.claimed = std::max(chain.claimed, cloud.seq);
  const bool fresh = chain.received.seq == Seq{} && cloud.seq > Seq{};
  const bool corrected = by_its_till && !chain.asked && cloud.seq < chain.record.base.seq;
  if (!chain.settled && (fresh || corrected)) {
    chain.record = {cloud, cloud, {}, false};
    chain.received = cloud;
    pruned_[id] = cloud.seq;
  }
  return &chain;
}

Verdict ReplicaBuffer::on_push(OpenedPush push) {
  Chain& chain = chains_[push.chain];
  const Judged judged = judge(chain.received, push);
  if (judged.verdict != Verdict::append) return judged.verdict;
  push.ops.erase(push.ops.begin(), push.ops.begin() + static_cast<std::ptrdiff_t>(judged.first_new));
  chain.received = push.end();
  chain.settled = true;
  const ChainId id = push.chain;
  queued_.push_back(std::move(push));
  if (ahead_.contains(id) && chain.received.seq >= chain.record.cloud.seq) {
    ahead_.erase(id);
    compare(id, chain);
  }
  return Verdict::append;
}

std::optional<Hash> ReplicaBuffer::hash_at(const ChainId& id, Seq seq) const {
  for (const auto* pushes : {&queued_, &in_commit_}) {
    for (const OpenedPush& push : *pushes) {
      if (push.chain != id || seq < push.ops.front().op.seq || seq > push.end().seq) continue;
      return push.ops[seq.value - push.ops.front().op.seq.value].hash;
    }
  }
  std::optional<Hash> found;
  store_.view().relay_ops(id, seq, [&](Seq at, ByteView op) {
    if (at == seq) found = blake2b(op);
    return false;
  });
  return found;
}

void ReplicaBuffer::doubt_cloud() {
  for (auto& [id, chain] : chains_) {
    chain.doubted = true;
    chain.asked = false;
    chain.claimed = {};
    chain.record.cloud = {};
    touched_.try_emplace(id);
  }
  ahead_.clear();
  std::erase_if(anew_, [](const auto& each) { return each.second == Copies::let_go; });  // it may lack what was there
}

bool ReplicaBuffer::on_cloud(const ChainId& id, const ChainPoint& point) {
  const auto it = chains_.find(id);
  if (it == chains_.end()) return true;
  Chain& chain = it->second;
  const bool doubted = std::exchange(chain.doubted, false);
  chain.asked = true;
  const bool less = point.seq < chain.record.base.seq;  // than somebody claimed when this place was made
  if (chain.record.cloud == point && !less) return doubted;
  chain.record.cloud = point;
  if (point.seq > chain.received.seq) {
    if (chain.received.seq == chain.record.base.seq) {
      anew_[id] = Copies::let_go;  // nothing is held here: go on from there
    } else {
      ahead_.insert({id, false});  // what is held here may still turn out to be a part of it
    }
    touched_.try_emplace(id);
    return true;
  }
  ahead_.erase(id);
  compare(id, chain);
  return true;
}

std::vector<std::pair<ChainId, ChainPoint>> ReplicaBuffer::to_compare() const {
  std::vector<std::pair<ChainId, ChainPoint>> ends;
  for (const auto& [id, ticked] : ahead_) ends.emplace_back(id, chains_.at(id).received);
  return ends;
}

void ReplicaBuffer::on_contained(const ChainId& id, const ChainPoint& end) {
  const auto it = ahead_.find(id);
  if (it == ahead_.end() || chains_.at(id).received != end) return;
  ahead_.erase(it);
  anew_[id] = Copies::let_go;
  touched_.try_emplace(id);
}

void ReplicaBuffer::on_forgotten(const ChainId& id) {
  const auto it = chains_.find(id);
  if (it == chains_.end() || it->second.received.seq <= it->second.record.cloud.seq) return;
  anew_[id] = Copies::keep_as_divergent;
  touched_.try_emplace(id);
}

// Lets go what the cloud holds just as it is here. If it holds another history, or went back in time, what is held here
// can't be shown to be in the cloud: it becomes a divergent batch.
void ReplicaBuffer::compare(const ChainId& id, const Chain& chain) {
  const ChainPoint& cloud = chain.record.cloud;
  const ChainPoint& base = chain.record.base;
  const bool same =
      cloud.seq == base.seq ? cloud.hash == base.hash : cloud.seq > base.seq && hash_at(id, cloud.seq) == cloud.hash;
  ChainPoint& in_cloud = touched_[id];
  if (!same) {
    anew_[id] = Copies::keep_as_divergent;
  } else if (in_cloud.seq < cloud.seq) {
    in_cloud = cloud;
  }
}

void ReplicaBuffer::on_tick() {
  for (auto it = ahead_.begin(); it != ahead_.end();) {
    if (std::exchange(it->second, true)) {
      anew_[it->first] = Copies::keep_as_divergent;
      touched_.try_emplace(it->first);
      it = ahead_.erase(it);
    } else {
      ++it;
    }
  }
}

void ReplicaBuffer::on_divergent_acked(const ChainId& chain, const ChainPoint& end) {
  if (divergent_.contains({chain, end})) acked_divergent_.insert({chain, end});
}

ReplicaBuffer::Slice ReplicaBuffer::read(const ChainId& id, Seq from) const {
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

std::uint64_t ReplicaBuffer::unsent() const {
  std::uint64_t sum = divergent_.size();
  for (const auto& [id, chain] : chains_) {
    const ChainRecord& r = chain.record;
    if (!chain.settled || r.held.seq <= r.base.seq) continue;
    if (r.held.seq > r.cloud.seq) sum += r.held.seq.value - std::max(r.cloud.seq, r.base.seq).value;
  }
  return sum;
}

std::uint64_t ReplicaBuffer::unsure() const {
  std::uint64_t sum = 0;
  for (const auto& [id, chain] : chains_) {
    const ChainRecord& r = chain.record;
    if (ahead_.contains(id) && chain.settled && r.held.seq > r.base.seq) sum += r.held.seq.value - r.base.seq.value;
  }
  return sum;
}

}  // namespace tillsync
