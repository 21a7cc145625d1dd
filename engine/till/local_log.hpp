// Records a till's own ops: numbers them, chains their hashes, and shares one flush of the journal among all callers
// who came meanwhile. Until a flush is reported back an op does not exist for anybody else.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <tillsync/op.hpp>
#include <unordered_map>
#include <vector>

#include "engine/till/own_history.hpp"
#include "engine/till/stored_part.hpp"
#include "engine/validate.hpp"

namespace tillsync {

class LocalLog final : public StoredPart {
 public:
  static constexpr std::size_t kMaxBatchOps = 1024;          // callers that share one flush
  static constexpr std::size_t kMaxWaiting = 65536;          // drafts queued behind a slow disk
  static constexpr std::size_t kMaxPendingBytes = 64 << 20;  // journalled, not in LMDB: a database that fails for hours
  static constexpr std::size_t kCheckpointBytes = 2 << 20;   // some 3,000 sales
  static constexpr Duration kRetryAfter = seconds(1);

  LocalLog(const TillContext& context, CheckpointTimer& timer, const TillState& stored);

  // At the start: an op that the journal held after the last checkpoint. False when it does not follow the one before
  // it: the journal is damaged between the two.
  bool replay(Op op, Hash hash, Bytes bytes);
  // The journal is replayed up to `end`. When ops behind damage are to be re-issued, checkpoints stay before them until
  // that is done.
  void on_replayed(JournalPosition end, bool salvaging);

  // Queues a validated draft; equal content under a known key gets the first op's receipt, other content is refused.
  // `view`: of the database, for all drafts that came together.
  void record(TillView& view, ReplyTo reply_to, ValidDraft draft, Actions& out);
  // An op that the engine itself writes, or one re-issued from a forked history. If a full disk refuses it, it is tried
  // again later.
  void record_own(Op op);
  // Numbers and hands over the next batch if the journal is free. `wall_ms` is already corrected.
  void flush(std::int64_t wall_ms, Actions& out);
  void on_appended(Instant now, Result<JournalPosition> outcome, Actions& out);
  void on_wake(Instant now);
  Instant next_wake(Instant latest) const;
  // Later ops belong to `fresh`, chained from nothing. Never while flushing().
  void open_incarnation(Incarnation fresh);

  ChainId chain() const { return {context_.self(), incarnation_}; }
  ChainPoint last() const { return last_; }  // durable
  HlcClock& clock() { return clock_; }
  Hlc hlc() const { return clock_.last(); }
  const OwnHistory& history() const { return history_; }
  bool flushing() const { return !in_flight_.empty(); }
  bool idle() const { return in_flight_.empty() && waiting_.empty() && deferred_.empty(); }
  bool writing(const std::string& key) const { return unflushed_keys_.contains(key); }
  std::size_t waiting() const { return waiting_.size() + in_flight_.size(); }
  bool stopped() const { return stopped_; }             // the disk failed
  std::uint64_t repeated() const { return repeated_; }  // drafts of this run that were recorded before

  std::optional<Instant> due() const override;
  void write(const Moment& at, Checkpoint& into) override;
  void on_stored(const Moment& at, Actions& out) override;

 private:
  struct Waiting {
    std::vector<ReplyTo> reply_to;
    Op op;  // not numbered yet
  };
  struct InFlight {
    std::vector<ReplyTo> reply_to;
    PendingOp op;
  };
  bool join_unflushed(ReplyTo reply_to, const Op& op, Actions& out);
  void number(Waiting& waiting, std::int64_t wall_ms);
  Hash cashier_prev(const std::string& cashier) const;
  void take_back(std::vector<InFlight> batch, const Error& error, Actions& out);

  const TillContext& context_;
  CheckpointTimer& timer_;
  OwnHistory history_;
  Incarnation incarnation_;
  ChainPoint last_;      // durable
  ChainPoint numbered_;  // given out to the batch in flight
  HlcClock clock_;
  JournalPosition journalled_;
  std::optional<JournalPosition> salvage_from_;  // ops behind damage are re-issued: checkpoints stay before them
  std::deque<Waiting> waiting_;
  std::vector<Op> deferred_;  // of the engine's own: a full disk refused them
  Instant retry_at_;
  std::vector<InFlight> in_flight_;
  std::unordered_map<std::string, std::size_t> unflushed_keys_;  // waiting and in flight: how many
  std::map<std::string, Hash> cashier_last_;                     // of this run; older ones are in the store
  std::size_t storing_ = 0;                                      // pending ops in the checkpoint under way
  bool stopped_ = false;
  std::uint64_t repeated_ = 0;
};

}  // namespace tillsync
