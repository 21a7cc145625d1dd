// Follows the cloud's rows and the branch's stock events: pulls both from whoever is the way up. A pull waits there
// until there is something new.
#pragma once

#include <map>
#include <optional>

#include "engine/till/cloud_generation.hpp"
#include "engine/till/local_log.hpp"
#include "engine/till/peer_health.hpp"
#include "engine/till/stock_sweep.hpp"

namespace tillsync {

class FeedFollower final : public StoredPart {
 public:
  FeedFollower(const TillContext& context, RowReader& rows, StockView& stock, StockSweep& sweep, LocalLog& log,
               CloudGeneration& generation, PeerHealth& health, CheckpointTimer& timer);

  // At the start. What counts in the stock is stored apart from the ops, and may have got further than a damaged
  // journal: `stored` is as far as the database has the current history.
  void restore_events(const TillState& stored);

  void follow(const Peer* up);  // pulls wait at no other
  void pull(const Peer& up, Actions& out);
  // Another till asks for rows that this one has never heard of: they are asked for as well.
  void hear_of(const Pull& pull, const Peer* up);
  void on_pages(const Peer& from, const Peer* up, Pages pages);
  void on_events(const Moment& at, const Peer& from, const Events& events);
  // To a till, how far its own histories were seen: if its disk went back in time, it can't know.
  void tell_seen(const Peer& to, Actions& out) const;

  std::optional<Instant> due() const override { return rows_.dirty() ? std::optional(kAtOnce) : std::nullopt; }
  void write(const Moment& at, Checkpoint& into) override;

 private:
  const TillContext& context_;
  RowReader& rows_;
  StockView& stock_;
  StockSweep& sweep_;
  LocalLog& log_;
  CloudGeneration& generation_;
  PeerHealth& health_;
  CheckpointTimer& timer_;
  std::optional<PeerId> followed_;
  bool rows_asked_ = false, events_asked_ = false;  // of the one that is followed
  std::map<ChainId, Seq> events_seen_;
};

}  // namespace tillsync
