// A till's own history: numbers ops, chains their hashes, shares flushes among callers, and keeps what is journalled
// but not yet in LMDB in memory (the pending set), so that reads see both as one.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <tillsync/op.hpp>
#include <tillsync/time.hpp>
#include <unordered_map>
#include <vector>

#include "engine/actions.hpp"
#include "engine/validate.hpp"

namespace tillsync {

struct PendingOp {
  Op op;
  Hash hash;
  Bytes bytes;
};

class LocalLog {
 public:
  static constexpr std::size_t kMaxBatchOps = 1024;          // callers that share one flush
  static constexpr std::size_t kMaxWaiting = 65536;          // drafts queued behind a slow disk
  static constexpr std::size_t kMaxPendingBytes = 64 << 20;  // journalled, not in LMDB: a database that fails for hours

  LocalLog(BranchId branch, TillId till, TillStore& store, const TillState& state);

  // Puts an op that the journal held after the last checkpoint back into the pending set. False when it does not follow
  // the one before it: the journal is damaged between the two.
  bool replay(Op op, Hash hash, Bytes bytes);
  // The journal is replayed up to `end`. When ops behind damage are to be re-issued, checkpoints stay before them until
  // that is done.
  void on_replayed(JournalPosition end, bool salvaging);

  // Queues a validated draft; equal content under a known key gets the first op's receipt, other content is refused.
  // `view`: of the database, for all drafts that came together.
  void record(TillView& view, ReplyTo reply_to, ValidDraft draft, Actions& out);
  // An op that the engine itself writes, or one re-issued from a forked history.
  void record_own(Op op);
  void on_appended(Result<JournalPosition> outcome, Actions& out);
  // Numbers and hands over the next batch when the journal is free. `wall_ms` is already corrected.
  void pump(std::int64_t wall_ms, Actions& out);

  // What the next checkpoint takes; forget() after it is committed.
  const std::deque<PendingOp>& pending() const { return pending_; }
  std::size_t pending_bytes() const { return pending_bytes_; }
  JournalPosition journalled() const { return salvage_from_.value_or(journalled_); }
  void forget_pending(std::size_t count);

  ChainId chain() const { return {till_, incarnation_}; }
  ChainPoint last() const { return last_; }  // durable
  Hlc hlc() const { return clock_.last(); }
  HlcClock& clock() { return clock_; }
  bool flushing() const { return !in_flight_.empty(); }
  bool writing(const std::string& key) const { return unflushed_keys_.contains(key); }
  bool idle() const { return in_flight_.empty() && waiting_.empty() && deferred_.empty(); }
  // Ops of the engine's own that a full disk refused wait until somebody says that it is time to try again.
  bool has_deferred() const { return !deferred_.empty(); }
  void retry_deferred();
  bool stopped() const { return stopped_; }
  std::uint64_t repeated() const { return repeated_; }  // drafts of this run that were recorded before
  std::size_t waiting() const { return waiting_.size() + in_flight_.size(); }

  // Turns over a new leaf: later ops belong to `fresh`, chained from nothing. Never while flushing().
  void open_incarnation(Incarnation fresh);

  std::optional<PendingOp> read(Incarnation incarnation, Seq seq) const;
  std::optional<PendingOp> find(const std::string& key) const;
  std::optional<PendingOp> find(TillView& view, const std::string& key) const;
  // Visits encoded ops of one of this till's histories from `from` on, pending ones included.
  void ops(Incarnation incarnation, Seq from, const std::function<bool(Seq, ByteView)>& visit) const;

 private:
  struct Waiting {
    std::vector<ReplyTo> reply_to;
    Op op;  // not numbered yet
  };
  void number(Waiting& waiting, std::int64_t wall_ms);
  Hash cashier_prev(const std::string& cashier) const;

  BranchId branch_;
  TillId till_;
  TillStore& store_;
  Incarnation incarnation_;
  ChainPoint last_;      // durable
  ChainPoint numbered_;  // given out to the batch in flight
  HlcClock clock_;
  JournalPosition journalled_;
  std::optional<JournalPosition> salvage_from_;

  std::deque<Waiting> waiting_;
  std::vector<Op> deferred_;
  struct InFlight {
    std::vector<ReplyTo> reply_to;
    PendingOp op;
  };
  std::vector<InFlight> in_flight_;
  std::unordered_map<std::string, std::size_t> unflushed_keys_;  // waiting and in flight: how many
  std::deque<PendingOp> pending_;
  std::size_t pending_bytes_ = 0;
  std::unordered_map<std::string, std::pair<Incarnation, Seq>> pending_keys_;
  std::map<std::string, Hash> cashier_last_;  // of this run; older ones are in the store
  bool stopped_ = false;
  std::uint64_t repeated_ = 0;
};

// The document of a draft as the body of its op.
Bytes body_of(const OpDraft& draft);

}  // namespace tillsync
