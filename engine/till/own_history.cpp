#include "engine/till/own_history.hpp"

#include "storage/model/op_codec.hpp"

namespace tillsync {

void OwnHistory::add(PendingOp op) {
  pending_keys_[op.op.key] = {op.op.chain.incarnation, op.op.seq};
  pending_bytes_ += op.bytes.size();
  pending_.push_back(std::move(op));
}

void OwnHistory::forget(std::size_t count) {
  for (std::size_t i = 0; i < count && !pending_.empty(); ++i) {
    const PendingOp& p = pending_.front();
    const auto it = pending_keys_.find(p.op.key);
    if (it != pending_keys_.end() && it->second == std::pair(p.op.chain.incarnation, p.op.seq)) pending_keys_.erase(it);
    pending_bytes_ -= p.bytes.size();
    pending_.pop_front();
  }
}

std::optional<PendingOp> OwnHistory::read(Incarnation incarnation, Seq seq) const {
  // Within one incarnation the pending set is contiguous, so the place can be computed from its end.
  if (!pending_.empty() && pending_.back().op.chain.incarnation == incarnation && seq <= pending_.back().op.seq) {
    const std::uint64_t back = pending_.back().op.seq.value - seq.value;
    if (back < pending_.size()) {
      const PendingOp& p = pending_[pending_.size() - 1 - back];
      if (p.op.chain.incarnation == incarnation && p.op.seq == seq) return p;
    }
  }
  for (const PendingOp& p : pending_) {
    if (p.op.chain.incarnation == pending_.back().op.chain.incarnation) break;
    if (p.op.chain.incarnation == incarnation && p.op.seq == seq) return p;
  }
  auto bytes = store_.view().op(incarnation, seq);
  auto op = bytes ? decode_op(*bytes) : std::nullopt;
  if (!op) return std::nullopt;
  const Hash hash = blake2b(*bytes);
  return PendingOp{std::move(*op), hash, std::move(*bytes)};
}

std::optional<PendingOp> OwnHistory::find(const std::string& key) const {
  TillView view = store_.view();
  return find(view, key);
}

std::optional<PendingOp> OwnHistory::find(TillView& view, const std::string& key) const {
  const auto it = pending_keys_.find(key);
  if (it != pending_keys_.end()) return read(it->second.first, it->second.second);
  const auto place = view.find_key(key);
  return place ? read(place->incarnation, place->seq) : std::nullopt;
}

void OwnHistory::visit(Incarnation incarnation, Seq from, const std::function<bool(Seq, ByteView)>& visit) const {
  bool more = true;
  Seq next = from;
  store_.view().ops(incarnation, from, [&](Seq seq, ByteView bytes) {
    if (seq != next) return false;
    next = next.next();
    return more = visit(seq, bytes);
  });
  while (more) {
    auto p = read(incarnation, next);
    if (!p || !visit(next, p->bytes)) return;
    next = next.next();
  }
}

}  // namespace tillsync
