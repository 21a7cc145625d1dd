// What a till does for others: takes their ops in, keeps them until the cloud has them, acknowledges what is durable,
// tells whoever holds ops what the cloud has, and asks the cloud on their behalf. Being the host is a role: every till
// can.
#pragma once

#include <map>
#include <optional>

#include "engine/till/history_holders.hpp"
#include "engine/till/peer_health.hpp"
#include "engine/till/replica_buffer.hpp"
#include "engine/till/stock_view.hpp"

namespace tillsync {

class RelayService final : public StoredPart {
 public:
  static constexpr std::size_t kMaxFetches = 256;  // asked of the cloud at a time

  RelayService(const TillContext& context, const PeerTable& peers, ReplicaBuffer& replicas, HistoryHolders& holders,
               const CloudGeneration& generation, PeerHealth& health, StockView& stock);

  // Another till's history, or this till's own: whose it is, is for the caller to look at. A push that nobody may send
  // ends the connection.
  std::optional<OpenedPush> open(const Peer& from, Push push, Actions& out);

  // Of other tills' histories from here on.
  void on_offer(const Moment& at, const Peer& from, const HistoryOffer& offer, Actions& out);
  void on_push(const Moment& at, const Peer& from, OpenedPush push, Actions& out);
  // What the cloud holds. True if that looks old: whoever is sent this history is to be asked again.
  bool on_cloud_ack(const Moment& at, const Peer& from, const Ack& ack, Actions& out);
  void on_other_ack(const Peer& from, const Ack& ack);  // its till may not know the history any more
  void on_fetch(const Moment& at, const Peer& from, const Fetch& fetch, Actions& out);
  void on_fetched(const Fetched& fetched, Actions& out);  // by the cloud, for another till
  void on_progress(const Moment& at, const Peer& from, const Progress& progress, Actions& out);
  void on_peer_down(PeerId id);

  std::optional<Instant> due() const override { return replicas_.dirty() ? std::optional(kAtOnce) : std::nullopt; }
  void write(const Moment&, Checkpoint& into) override { replicas_.form(into.view, into.batch); }
  void on_stored(const Moment& at, Actions& out) override;  // acknowledges

 private:
  bool may_be_relayed(const TillId& till) const;
  Ack held_ack(const Moment& at, const WireChain& chain) const;
  bool clone_holds(PeerId besides, const ChainId& chain) const;
  bool answer_from_here(const Peer& to, const Fetch& fetch, Actions& out) const;

  const TillContext& context_;
  const PeerTable& peers_;
  ReplicaBuffer& replicas_;
  HistoryHolders& holders_;
  const CloudGeneration& generation_;
  PeerHealth& health_;
  StockView& stock_;
  std::map<ChainId, PeerId> fetching_;  // of the cloud, and for whom
};

}  // namespace tillsync
