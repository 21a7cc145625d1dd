// Moves what the parts have into the database, one transaction at a time. Each part writes in the order given, and is
// told in that order once all of it is durable. A transaction that failed is tried again as it is: later ones build on
// it.
#pragma once

#include <memory>
#include <vector>

#include "engine/till/stored_part.hpp"

namespace tillsync {

class Checkpointer {
 public:
  static constexpr Duration kRetryAfter = seconds(1);

  // Where the database is; a new till's incarnation is drawn from `random`.
  Checkpointer(TillStore& store, Random& random, CheckpointTimer& timer);
  void store_in_order(std::vector<StoredPart*> parts) { parts_ = std::move(parts); }

  // Hands over a transaction if one is due and none is in flight.
  void start_if_due(const Moment& at, Actions& out);
  // False: it failed. The next start_if_due() after kRetryAfter hands it over again.
  bool on_committed(const Moment& at, const Result<void>& outcome, Actions& out);
  Instant next_wake(Instant now, Instant latest) const;

  bool in_flight() const { return in_flight_; }
  bool unfinished() const { return batch_ != nullptr; }  // in flight, or to be tried again
  bool succeeds() const { return succeeds_; }            // the last one did
  const TillState& state() const { return state_; }      // as the last transaction has it, even one in flight

 private:
  void put_together(const Moment& at, Actions& out);
  std::optional<Instant> due() const;

  TillStore& store_;
  CheckpointTimer& timer_;
  std::vector<StoredPart*> parts_;
  TillState state_;
  std::shared_ptr<StoreBatch> batch_;     // in flight, or to be tried again
  std::shared_ptr<StoreBatch> finished_;  // the one before, whose memory the next one takes
  bool in_flight_ = false;
  bool succeeds_ = true;
  Instant not_before_;
};

}  // namespace tillsync
