// Repairs this till's own history after it split: this disk went back in time (a restored backup, a cloned disk, a
// damaged journal) and the branch or the cloud holds another continuation. Both are kept: the till opens a new
// incarnation, compares, re-issues under it what only it has, and fetches back into its vault what it had forgotten.
#pragma once

#include <string>

#include "engine/till/checkpointer.hpp"
#include "engine/till/divergent_reissue.hpp"
#include "engine/till/stock_view.hpp"

namespace tillsync {

class ForkRepair final : public StoredPart {
 public:
  static constexpr std::size_t kMaxDropped = 1000;  // ops, in one checkpoint

  ForkRepair(const TillContext& context, LocalLog& log, ForkList& forks, HistoryAcks& acks, DivergentReissue& reissue,
             StockView& stock, Random& random);

  // The current history is left, and a new one opened. Never while a flush is in flight.
  void begin(const std::string& why, Actions& out);
  // A backup was restored from before this till opened that history: a new one names both as left.
  void leave_lost(const ChainId& lost, Actions& out);
  // This disk is empty (a new one, or a backup from before its first sale), and others have seen this till's sales.
  void follow_lost(const ChainId& lost, Actions& out);
  // The first op of a history that follows a fork names the fork.
  void record_incarnation();

  void on_durable(const Op& op);
  // Re-issues, and asks whoever is the way up for the other branch. Forgotten ops take the old places in the vault, so
  // the re-issued ones must be stored in their new places first.
  void advance(const Moment& at, const Peer* up, const Checkpointer& checkpoints, Actions& out);
  void on_fetched(const Moment& at, const Fetched& fetched, const Checkpointer& checkpoints, Actions& out);
  void on_peer_down(Instant now) { fetch_at_ = now; }  // whom it asked may be gone
  Instant next_wake(Instant now, Instant latest) const;

  // First of all parts: the ops fetched back are written as one batch, in the order in which they came.
  std::optional<Instant> due() const override { return adopted_.empty() ? std::nullopt : std::optional(kAtOnce); }
  void write(const Moment& at, Checkpoint& into) override;

 private:
  void compare(const Fetched& fetched);
  void adopt(const Moment& at, const Fetched& fetched, const Checkpointer& checkpoints, Actions& out);
  void compare_anew(const Moment& at, Actions& out);
  bool drop_left_behind(const ForkState& fork, const Checkpointer& checkpoints);
  void settle(bool rebuilt, Actions& out);
  void reissue_some(const ForkState& fork);

  const TillContext& context_;
  LocalLog& log_;
  ForkList& forks_;
  HistoryAcks& acks_;
  DivergentReissue& reissue_;
  StockView& stock_;
  Random& random_;
  Seq cursor_;  // how far re-issuing has got; what is durable of it is in the fork's state
  Instant fetch_at_;
  StoreBatch adopted_;  // forgotten ops fetched back, to be stored
};

}  // namespace tillsync
