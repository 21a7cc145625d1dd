// Answers other tills' pulls of rows and stock events from what this till has. A pull waits here until there is
// something new for it. Pulls of rows are answered between checkpoints only: then the database has all that it says it
// has.
#pragma once

#include <map>

#include "engine/till/history_acks.hpp"
#include "engine/till/peer_health.hpp"
#include "engine/till/replica_buffer.hpp"

namespace tillsync {

class FeedServer {
 public:
  static constexpr std::size_t kMaxEventOps = 500;    // in one answer; the reader asks again
  static constexpr std::size_t kMaxPositions = 2000;  // in one question

  FeedServer(const TillContext& context, const PeerTable& peers, const LocalLog& log, const HistoryAcks& acks,
             const ReplicaBuffer& replicas, PeerHealth& health);

  bool on_pull(const Peer& from, const Pull& pull, Actions& out);  // false: refused
  void on_pull_events(const Peer& from, PullEvents pull, Actions& out);
  void on_changed() { changed_ = true; }  // rows or ops
  void on_peer_down(PeerId id);

  // If anything came since the last time. `storing`: a checkpoint is in flight, so pulls of rows wait for its end.
  void answer(bool storing, Actions& out);

 private:
  Events events_since(const TillId& reader, const PullEvents& pull) const;
  void answer_events(const Peer& to, Actions& out);
  void answer_rows(const Peer& to, Actions& out);

  const TillContext& context_;
  const PeerTable& peers_;
  const LocalLog& log_;
  const HistoryAcks& acks_;
  const ReplicaBuffer& replicas_;
  PeerHealth& health_;
  std::map<PeerId, Pull> pulls_;
  std::map<PeerId, PullEvents> event_pulls_;
  bool changed_ = false;
};

}  // namespace tillsync
