// Hears that the cloud was put back to a backup: in the cloud's own signed message, which tills pass on, or from the
// generation of its rows. Then nothing that it held is taken to be held until it says so again, of every history that
// this disk has; what it lacks is sent again from the vault.
#pragma once

#include "engine/till/history_acks.hpp"
#include "engine/till/peer_health.hpp"
#include "engine/till/uplink.hpp"

namespace tillsync {

class CloudResets final : public StoredPart {
 public:
  CloudResets(const TillContext& context, const PeerTable& peers, CloudGeneration& generation, HistoryAcks& acks,
              ReplicaBuffer& replicas, Uplink& uplink, PeerHealth& health);

  void on_message(const Peer& from, const CloudReset& reset, Actions& out);
  void tell(const Peer& peer, Actions& out) const;  // one who has just connected

  // What was heard takes effect with the checkpoint that stores it: then a restart can't forget the one without the
  // other.
  std::optional<Instant> due() const override { return generation_.dirty() ? std::optional(kAtOnce) : std::nullopt; }
  void write(const Moment& at, Checkpoint& into) override;

 private:
  const TillContext& context_;
  const PeerTable& peers_;
  CloudGeneration& generation_;
  HistoryAcks& acks_;
  ReplicaBuffer& replicas_;
  Uplink& uplink_;
  PeerHealth& health_;
};

}  // namespace tillsync
