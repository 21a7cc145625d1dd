// The branch's roster as this till holds it: takes newer ones, stores them, and knows how far the present one has got.
#pragma once

#include <vector>

#include "engine/till/peer_health.hpp"
#include "engine/till/peer_table.hpp"
#include "engine/till/stored_part.hpp"

namespace tillsync {

// How far a roster has got, as one till knows it.
struct RosterSpread {
  std::uint64_t version = 0;
  std::vector<TillId> holders;            // durably
  std::optional<Duration> most_hold_for;  // how long those with more than half of the votes have, at least
};

class RosterKeeper final : public StoredPart {
 public:
  RosterKeeper(const TillCoreConfig& config, TillStore& store);

  const std::optional<Roster>& roster() const { return roster_; }
  std::uint64_t durable_version() const { return durable_; }

  // True if it is newer, or tells who has joined.
  bool take(const Roster& roster, Actions& out);
  // To those who are connected; strangers are let go.
  void tell(const PeerTable& peers, bool first, Actions& out) const;
  void tell(const Peer& peer, Actions& out) const;

  // For whoever wants to issue the next one: a majority must have held it for a while.
  RosterSpread spread(const PeerHealth& health, Instant now) const;

  std::optional<Instant> due() const override { return dirty_ ? std::optional(kAtOnce) : std::nullopt; }
  void write(const Moment& at, Checkpoint& into) override;
  void on_stored(const Moment& at, Actions& out) override;

 private:
  const TillCoreConfig& config_;
  std::optional<Roster> roster_;
  bool dirty_ = false;
  std::uint64_t durable_ = 0, storing_ = 0;  // versions
};

}  // namespace tillsync
