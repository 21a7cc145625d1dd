#include "engine/till/local_log.hpp"

#include <algorithm>

#include "storage/model/op_codec.hpp"

namespace tillsync {

namespace {
Receipt receipt_of(const PendingOp& p) { return {p.op.chain.incarnation, p.op.seq, p.op.hlc, p.hash}; }
}  // namespace

Bytes body_of(const OpDraft& draft) { return draft.custom_body.empty() ? encode(draft.document) : draft.custom_body; }

LocalLog::LocalLog(BranchId branch, TillId till, TillStore& store, const TillState& state)
    : branch_(std::move(branch)),
      till_(std::move(till)),
      store_(store),
      incarnation_(state.incarnation),
      last_(state.last),
      numbered_(state.last),
      clock_(state.hlc),
      journalled_(state.checkpoint) {}

bool LocalLog::replay(Op op, Hash hash, Bytes bytes) {
  const auto stored = store_.view().op(op.chain.incarnation, op.seq);
  if (stored && *stored == bytes) return true;
  const bool new_leaf = op.seq == Seq{1} && op.prev.is_zero() && op.chain.incarnation != incarnation_;
  if (op.chain.incarnation == incarnation_ && op.seq <= last_.seq) return true;  // already in LMDB
  if (!new_leaf && (op.chain.incarnation != incarnation_ || op.seq != last_.seq.next() || op.prev != last_.hash)) {
    return false;
  }
  incarnation_ = op.chain.incarnation;
  last_ = numbered_ = {op.seq, hash};
  clock_ = HlcClock(op.hlc);
  cashier_last_[op.cashier] = hash;
  pending_keys_[op.key] = {op.chain.incarnation, op.seq};
  pending_bytes_ += bytes.size();
  pending_.push_back({std::move(op), hash, std::move(bytes)});
  return true;
}

void LocalLog::on_replayed(JournalPosition end, bool salvaging) {
  if (salvaging) salvage_from_ = journalled_;
  journalled_ = end;
}

void LocalLog::record(TillView& view, ReplyTo reply_to, ValidDraft draft, Actions& out) {
  auto refuse = [&](ErrorKind kind, const char* why) { out.replies.push_back({reply_to, fail(kind, why)}); };
  if (stopped_)
    return refuse(ErrorKind::io, "the data disk failed: this till stopped accepting; check the disk, restart");
  if (waiting_.size() >= kMaxWaiting)
    return refuse(ErrorKind::busy, "too many ops wait for the disk: try again shortly");
  if (pending_bytes_ >= kMaxPendingBytes) {
    return refuse(ErrorKind::busy, "the database can't take more: free some disk space, then try again");
  }
  Op op = std::move(draft).op();
  if (op.body.size() > kMaxOpBytes - 1024) return refuse(ErrorKind::invalid, "the op is longer than 255 KiB: split it");
  auto same = [&](const Op& other) { return other.kind == op.kind && other.body == op.body; };
  constexpr const char* kOther = "this idempotency key already names another op: use a new key";
  if (unflushed_keys_.contains(op.key)) {
    auto join = [&](auto& queue, auto&& op_of) {
      for (auto& each : queue) {
        if (op_of(each).key != op.key) continue;
        if (!same(op_of(each))) return refuse(ErrorKind::duplicate_key, kOther), true;
        return each.reply_to.push_back(reply_to), true;
      }
      return false;
    };
    if (join(in_flight_, [](InFlight& f) -> Op& { return f.op.op; })) return;
    if (join(waiting_, [](Waiting& w) -> Op& { return w.op; })) return;
  }
  if (auto known = find(view, op.key)) {
    if (!same(known->op)) return refuse(ErrorKind::duplicate_key, kOther);
    ++repeated_;
    return out.replies.push_back({reply_to, receipt_of(*known)});
  }
  ++unflushed_keys_[op.key];
  waiting_.push_back({{reply_to}, std::move(op)});
}

void LocalLog::record_own(Op op) {
  ++unflushed_keys_[op.key];
  waiting_.push_back({{}, std::move(op)});
}

void LocalLog::retry_deferred() {
  for (Op& op : deferred_) record_own(std::move(op));
  deferred_.clear();
}

void LocalLog::pump(std::int64_t wall_ms, Actions& out) {
  if (!in_flight_.empty() || waiting_.empty() || stopped_) return;
  const std::size_t count = std::min(waiting_.size(), kMaxBatchOps);
  std::vector<Bytes> batch;
  batch.reserve(count);
  in_flight_.reserve(count);
  std::size_t bytes = 0;
  while (!waiting_.empty() && batch.size() < kMaxBatchOps && bytes < kMaxBatchBytes * 4) {
    Waiting& next = waiting_.front();
    number(next, wall_ms);
    Bytes encoded = encode(next.op);
    const Hash hash = blake2b(encoded);
    numbered_ = {next.op.seq, hash};
    if (!next.op.cashier.empty()) cashier_last_[next.op.cashier] = hash;
    bytes += encoded.size();
    batch.push_back(encoded);
    in_flight_.push_back({std::move(next.reply_to), {std::move(next.op), hash, std::move(encoded)}});
    waiting_.pop_front();
  }
  out.append = std::move(batch);
}

void LocalLog::number(Waiting& waiting, std::int64_t wall_ms) {
  Op& op = waiting.op;
  op.branch = branch_;
  op.chain = chain();
  op.seq = numbered_.seq.next();
  op.prev = numbered_.hash;
  op.hlc = clock_.tick(wall_ms);
  if (!op.cashier.empty()) op.cashier_prev = cashier_prev(op.cashier);
}

Hash LocalLog::cashier_prev(const std::string& cashier) const {
  const auto it = cashier_last_.find(cashier);
  if (it != cashier_last_.end()) return it->second;
  return store_.view().cashier(cashier).value_or(Hash{});
}

void LocalLog::on_appended(Result<JournalPosition> outcome, Actions& out) {
  std::vector<InFlight> batch = std::move(in_flight_);
  in_flight_.clear();
  for (InFlight& each : batch) {
    const auto it = unflushed_keys_.find(each.op.op.key);
    if (it != unflushed_keys_.end() && --it->second == 0) unflushed_keys_.erase(it);
  }
  if (!outcome) {
    // Nothing of the batch counts: the next one starts again after the last durable op.
    numbered_ = last_;
    cashier_last_.clear();
    for (const PendingOp& p : pending_) cashier_last_[p.op.cashier] = p.hash;
    for (InFlight& each : batch) {
      for (ReplyTo to : each.reply_to) out.replies.push_back({to, tl::unexpected(outcome.error())});
      if (each.reply_to.empty()) deferred_.push_back(std::move(each.op.op));  // nobody else would try again
    }
    if (outcome.error().kind != ErrorKind::disk_full) {
      stopped_ = true;
      for (Waiting& each : waiting_) {
        for (ReplyTo to : each.reply_to) out.replies.push_back({to, tl::unexpected(outcome.error())});
      }
      waiting_.clear();
      unflushed_keys_.clear();
      out.alarm(outcome.error().for_log());
    } else {
      out.warn("a sale was refused: " + outcome.error().for_log());
    }
    return;
  }
  journalled_ = *outcome;
  for (InFlight& each : batch) {
    last_ = {each.op.op.seq, each.op.hash};
    for (ReplyTo to : each.reply_to) out.replies.push_back({to, receipt_of(each.op)});
    pending_keys_[each.op.op.key] = {each.op.op.chain.incarnation, each.op.op.seq};
    pending_bytes_ += each.op.bytes.size();
    pending_.push_back(std::move(each.op));
  }
  if (idle()) salvage_from_.reset();
}

void LocalLog::forget_pending(std::size_t count) {
  for (std::size_t i = 0; i < count && !pending_.empty(); ++i) {
    const PendingOp& p = pending_.front();
    const auto it = pending_keys_.find(p.op.key);
    if (it != pending_keys_.end() && it->second == std::pair(p.op.chain.incarnation, p.op.seq)) pending_keys_.erase(it);
    pending_bytes_ -= p.bytes.size();
    pending_.pop_front();
  }
}

void LocalLog::open_incarnation(Incarnation fresh) {
  incarnation_ = fresh;
  last_ = numbered_ = {};
}

std::optional<PendingOp> LocalLog::read(Incarnation incarnation, Seq seq) const {
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

std::optional<PendingOp> LocalLog::find(const std::string& key) const {
  TillView view = store_.view();
  return find(view, key);
}

std::optional<PendingOp> LocalLog::find(TillView& view, const std::string& key) const {
  const auto it = pending_keys_.find(key);
  if (it != pending_keys_.end()) return read(it->second.first, it->second.second);
  const auto place = view.find_key(key);
  return place ? read(place->incarnation, place->seq) : std::nullopt;
}

void LocalLog::ops(Incarnation incarnation, Seq from, const std::function<bool(Seq, ByteView)>& visit) const {
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
