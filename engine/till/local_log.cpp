#include "engine/till/local_log.hpp"

#include <algorithm>
#include <utility>

#include "engine/wire/messages.hpp"
#include "storage/model/op_codec.hpp"

namespace tillsync {

namespace {

Receipt receipt_of(const PendingOp& p) { return {p.op.chain.incarnation, p.op.seq, p.op.hlc, p.hash}; }

constexpr const char* kOtherContent = "this idempotency key already names another op: use a new key";

bool same(const Op& a, const Op& b) { return a.kind == b.kind && a.body == b.body; }

void refuse(ReplyTo to, ErrorKind kind, const char* why, Actions& out) { out.replies.push_back({to, fail(kind, why)}); }

}  // namespace

LocalLog::LocalLog(const TillContext& context, CheckpointTimer& timer, const TillState& stored)
    : context_(context),
      timer_(timer),
      history_(context.store),
      incarnation_(stored.incarnation),
      last_(stored.last),
      numbered_(stored.last),
      clock_(stored.hlc),
      journalled_(stored.checkpoint) {}

bool LocalLog::replay(Op op, Hash hash, Bytes bytes) {
  const auto stored = context_.store.view().op(op.chain.incarnation, op.seq);
  if (stored && *stored == bytes) return true;
  const bool opens_incarnation = op.seq == Seq{1} && op.prev.is_zero() && op.chain.incarnation != incarnation_;
  if (op.chain.incarnation == incarnation_ && op.seq <= last_.seq) return true;  // already in LMDB
  const bool follows = op.chain.incarnation == incarnation_ && op.seq == last_.seq.next() && op.prev == last_.hash;
  if (!opens_incarnation && !follows) return false;
  incarnation_ = op.chain.incarnation;
  last_ = numbered_ = {op.seq, hash};
  clock_ = HlcClock(op.hlc);
  cashier_last_[op.cashier] = hash;
  history_.add({std::move(op), hash, std::move(bytes)});
  return true;
}

void LocalLog::on_replayed(JournalPosition end, bool salvaging) {
  if (salvaging) salvage_from_ = journalled_;
  journalled_ = end;
}

void LocalLog::record(TillView& view, ReplyTo reply_to, ValidDraft draft, Actions& out) {
  if (stopped_)
    return refuse(reply_to, ErrorKind::io, "the data disk failed: this till stopped accepting; check the disk, restart",
                  out);
  if (waiting_.size() >= kMaxWaiting)
    return refuse(reply_to, ErrorKind::busy, "too many ops wait for the disk: try again shortly", out);
  if (history_.pending_bytes() >= kMaxPendingBytes)
    return refuse(reply_to, ErrorKind::busy, "the database can't take more: free some disk space, then try again", out);
  Op op = std::move(draft).op();
  if (op.body.size() > kMaxOpBytes - 1024)
    return refuse(reply_to, ErrorKind::invalid, "the op is longer than 255 KiB: split it", out);
  if (unflushed_keys_.contains(op.key) && join_unflushed(reply_to, op, out)) return;
  if (auto known = history_.find(view, op.key)) {
    if (!same(known->op, op)) return refuse(reply_to, ErrorKind::duplicate_key, kOtherContent, out);
    ++repeated_;
    return out.replies.push_back({reply_to, receipt_of(*known)});
  }
  ++unflushed_keys_[op.key];
  waiting_.push_back({{reply_to}, std::move(op)});
}

// The same op is on its way to the disk: this caller gets its receipt as well.
bool LocalLog::join_unflushed(ReplyTo reply_to, const Op& op, Actions& out) {
  const auto join = [&](auto& queue, auto&& op_of) {
    for (auto& each : queue) {
      if (op_of(each).key != op.key) continue;
      if (!same(op_of(each), op)) return refuse(reply_to, ErrorKind::duplicate_key, kOtherContent, out), true;
      return each.reply_to.push_back(reply_to), true;
    }
    return false;
  };
  return join(in_flight_, [](InFlight& f) -> Op& { return f.op.op; }) ||
         join(waiting_, [](Waiting& w) -> Op& { return w.op; });
}

void LocalLog::record_own(Op op) {
  ++unflushed_keys_[op.key];
  waiting_.push_back({{}, std::move(op)});
}

void LocalLog::flush(std::int64_t wall_ms, Actions& out) {
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
  op.branch = context_.config.branch;
  op.chain = chain();
  op.seq = numbered_.seq.next();
  op.prev = numbered_.hash;
  op.hlc = clock_.tick(wall_ms);
  if (!op.cashier.empty()) op.cashier_prev = cashier_prev(op.cashier);
}

Hash LocalLog::cashier_prev(const std::string& cashier) const {
  const auto it = cashier_last_.find(cashier);
  if (it != cashier_last_.end()) return it->second;
  return context_.store.view().cashier(cashier).value_or(Hash{});
}

void LocalLog::on_appended(Instant now, Result<JournalPosition> outcome, Actions& out) {
  std::vector<InFlight> batch = std::move(in_flight_);
  in_flight_.clear();
  for (InFlight& each : batch) {
    const auto it = unflushed_keys_.find(each.op.op.key);
    if (it != unflushed_keys_.end() && --it->second == 0) unflushed_keys_.erase(it);
  }
  if (!outcome) {
    take_back(std::move(batch), outcome.error(), out);
    if (!deferred_.empty()) retry_at_ = now + kRetryAfter;
    return;
  }
  journalled_ = *outcome;
  for (InFlight& each : batch) {
    last_ = {each.op.op.seq, each.op.hash};
    for (ReplyTo to : each.reply_to) out.replies.push_back({to, receipt_of(each.op)});
    history_.add(std::move(each.op));
  }
  if (!batch.empty()) timer_.start_soon(now);
  if (!deferred_.empty()) retry_at_ = now + kRetryAfter;
  if (idle()) salvage_from_.reset();
}

// Nothing of the batch counts: the next one starts again after the last durable op.
void LocalLog::take_back(std::vector<InFlight> batch, const Error& error, Actions& out) {
  numbered_ = last_;
  cashier_last_.clear();
  for (const PendingOp& p : history_.pending()) cashier_last_[p.op.cashier] = p.hash;
  for (InFlight& each : batch) {
    for (ReplyTo to : each.reply_to) out.replies.push_back({to, tl::unexpected(error)});
    if (each.reply_to.empty()) deferred_.push_back(std::move(each.op.op));  // nobody else would try again
  }
  if (error.kind == ErrorKind::disk_full) return out.warn("a sale was refused: " + error.for_log());
  stopped_ = true;
  for (Waiting& each : waiting_) {
    for (ReplyTo to : each.reply_to) out.replies.push_back({to, tl::unexpected(error)});
  }
  waiting_.clear();
  unflushed_keys_.clear();
  out.alarm(error.for_log());
}

void LocalLog::on_wake(Instant now) {
  if (deferred_.empty() || now < retry_at_) return;
  for (Op& op : deferred_) record_own(std::move(op));
  deferred_.clear();
}

Instant LocalLog::next_wake(Instant latest) const { return deferred_.empty() ? latest : std::min(latest, retry_at_); }

void LocalLog::open_incarnation(Incarnation fresh) {
  incarnation_ = fresh;
  last_ = numbered_ = {};
}

std::optional<Instant> LocalLog::due() const {
  return history_.pending_bytes() >= kCheckpointBytes ? std::optional(kAtOnce) : std::nullopt;
}

void LocalLog::write(const Moment&, Checkpoint& into) {
  std::map<std::string, Hash> cashiers;
  into.batch.reserve(2 * history_.pending_bytes());  // with keys, and what they do to the stock
  for (const PendingOp& p : history_.pending()) {
    into.batch.vault_op(p.op.chain, p.op.seq, p.op.key, p.bytes);
    if (!p.op.cashier.empty()) cashiers[p.op.cashier] = p.hash;
  }
  for (const auto& [cashier, last] : cashiers) into.batch.cashier(cashier, last);
  storing_ = history_.pending().size();
  into.state.incarnation = incarnation_;
  into.state.last = last_;
  into.state.hlc = clock_.last();
  into.state.checkpoint = salvage_from_.value_or(journalled_);
}

void LocalLog::on_stored(const Moment&, Actions&) { history_.forget(std::exchange(storing_, 0)); }

}  // namespace tillsync
