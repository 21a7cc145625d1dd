// Sends histories on: this till's own to the host or the cloud, what it holds of others to the cloud, and as the host
// its own to one other till as well (the keeper of a second copy). Offers first, then batches from the receiver's
// watermark on.
#pragma once

#include <map>
#include <optional>

#include "engine/till/chain_sender.hpp"
#include "engine/till/history_acks.hpp"
#include "engine/till/peer_table.hpp"
#include "engine/till/replica_buffer.hpp"

namespace tillsync {

class Uplink {
 public:
  static constexpr Duration kLongestBusy = seconds(60);  // that a cloud can keep a till from asking again

  Uplink(const TillContext& context, const PeerTable& peers, const LocalLog& log, const HistoryAcks& acks,
         const ReplicaBuffer& replicas);

  // Offers and pushes whatever there is to send.
  void send(const Moment& at, Actions& out);
  // Where a receiver stands. What another till says of the cloud is no answer to what was sent to that till.
  void on_ack(Instant now, const Peer& from, const Ack& ack);
  void on_busy(Instant now, const Peer& from, const Busy& busy, Actions& out);
  void on_peer_down(PeerId id) { lines_.erase(id); }

  // Every receiver is asked again where it stands.
  void ask_again(const ChainId& chain);
  void ask_again_all();

  bool sends(PeerId to, const ChainId& chain) const;
  Instant next_wake(Instant latest) const;

 private:
  struct Sending {
    ChainSender sender;
    bool wanted = false;  // while send() looks what there is; the others end
  };
  struct Line {  // to one peer
    std::map<ChainId, Sending> chains;
    bool is_up = false;
    bool busy_reported = false;
  };
  struct Stretch {  // of a history, to be sent
    const ChainId& chain;
    ChainPoint last;
    ChainPoint cloud;        // as far as this till knows
    bool ask_again = false;  // from time to time, though there is nothing to send
  };
  void send_own(const Moment& at, const Peer& to, Line& line, Actions& out);
  void send_replicas(const Moment& at, const Peer& to, Line& line, Actions& out);
  void send(const Moment& at, const Peer& to, Line& line, const Stretch& stretch, Actions& out);
  std::optional<Push> own_push(const ChainId& chain, Seq from, Seq last) const;

  const TillContext& context_;
  const PeerTable& peers_;
  const LocalLog& log_;
  const HistoryAcks& acks_;
  const ReplicaBuffer& replicas_;
  std::map<PeerId, Line> lines_;
};

}  // namespace tillsync
