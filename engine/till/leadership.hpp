// Who hosts the branch, and this till's part in the election: carries out what lease/election.hpp decides. A promise
// is stored before anything is granted on it.
#pragma once

#include <optional>

#include "engine/till/host_history.hpp"
#include "engine/till/peer_health.hpp"
#include "engine/till/second_copies.hpp"
#include "lease/election.hpp"

namespace tillsync {

class Leadership final : public StoredPart {
 public:
  Leadership(const TillContext& context, const PeerTable& peers, PeerHealth& health, SecondCopies& copies,
             CheckpointTimer& timer, Random& random, Instant now);

  void on_peer_up(const Moment& at, const Peer& peer, Actions& out);
  void on_peer_down(const Moment& at, const Peer& gone, Actions& out);
  void on_message(const Moment& at, const Peer& from, const LeaseMessage& message, Actions& out);
  void on_roster(const Moment& at, Actions& out);  // the context has a newer one, or its first
  void on_step_down(const Moment& at, std::optional<TillId> successor, Actions& out);
  void on_fitness(const TillId& who, std::uint32_t fitness);
  void on_wake(const Moment& at, Actions& out);
  Instant next_wake(Instant now, Instant latest) const;

  LeaseView view(Instant now) const { return election_ ? election_->view(now) : LeaseView{}; }
  bool hosts(Instant now) const { return election_ && election_->hosts(now); }
  bool takes_part() const { return election_.has_value(); }
  bool wants_cloud(Instant now) const;                    // a connection of its own
  const std::optional<Certificate>& certificate() const;  // of the exclusive lease that holds, if one does
  std::uint32_t fitness() const { return fitness_; }
  const std::vector<HostChange>& history() const { return history_.all(); }
  std::uint64_t changes() const { return changes_; }
  std::uint64_t ignored() const { return election_ ? election_->ignored() : 0; }

  std::optional<Instant> due() const override { return promise_ ? std::optional(kAtOnce) : std::nullopt; }
  void write(const Moment& at, Checkpoint& into) override;
  void on_stored(const Moment& at, Actions& out) override;

 private:
  void carry_out(const Moment& at, LeaseActions lease, Actions& out);
  void start_election(Instant now);
  std::optional<Promise> stored_promise() const;

  const TillContext& context_;
  const PeerTable& peers_;
  PeerHealth& health_;
  SecondCopies& copies_;
  CheckpointTimer& timer_;
  Random& random_;
  std::optional<Election> election_;  // once there is a roster
  std::optional<Promise> promise_;    // to be stored
  bool storing_promise_ = false;
  HostHistory history_;
  std::uint32_t fitness_ = 0;
  Instant hostless_since_;
  std::uint64_t changes_ = 0;
};

}  // namespace tillsync
