// Copies of other tills' ops that the cloud's histories of them may not contain, after a fork or a restored cloud. Only
// their till can tell: it is asked to compare, and shown the batches again and again until it says that all of a batch
// is in the cloud.
#pragma once

#include <map>

#include "engine/till/peer_table.hpp"
#include "engine/till/replica_buffer.hpp"

namespace tillsync {

class DivergentCopies {
 public:
  static constexpr Duration kEvery = seconds(10);
  static constexpr std::size_t kMaxBatches = 64;  // shown at a time: 16 MiB at most, half of what a link queues

  DivergentCopies(TillStore& store, const PeerTable& peers, ReplicaBuffer& replicas);

  void advance(Instant now, Actions& out);
  void on_ack(const Peer& from, const Ack& ack);  // its answer, if it was asked to compare
  void on_batch_ack(const Peer& from, const DivergentBatchAck& ack);
  void on_peer_down(PeerId id) { asked_.erase(id); }
  Instant next_wake(Instant latest) const;

 private:
  void ask_to_compare(Actions& out);
  void show_batches(Actions& out) const;

  TillStore& store_;
  const PeerTable& peers_;
  ReplicaBuffer& replicas_;
  std::map<PeerId, std::map<ChainId, ChainPoint>> asked_;  // to compare up to there
  Instant next_;
};

}  // namespace tillsync
