// Who is connected, since when each was silent, and which connection is the way up: to the host, or of the host to the
// cloud. It asks those who are silent whether they are there, and for the time.
#pragma once

#include <map>
#include <optional>
#include <utility>

#include "engine/actions.hpp"
#include "engine/till/till_context.hpp"

namespace tillsync {

struct Peer {
  PeerId id;
  TillId name;
  Role role = Role::till;
  Instant heard;

  bool is_cloud() const { return role == Role::cloud; }
};

class PeerTable {
 public:
  static constexpr Duration kPingEvery = seconds(2);  // of silence
  static constexpr Duration kPingLast = milliseconds(500);
  static constexpr Duration kTimeEvery = seconds(30);

  explicit PeerTable(TillId self) : self_(std::move(self)) {}

  const Peer& on_up(Instant now, PeerId id, const TillId& name, Role role);
  std::optional<Peer> on_down(PeerId id);  // who it was
  const Peer* on_heard(Instant now, PeerId id);

  const std::map<PeerId, Peer>& all() const { return peers_; }
  const Peer* find(PeerId id) const;
  // A clone of a till connects under its name as well: the first connection counts.
  const Peer* upstream(const LeaseView& lease) const;
  const Peer* cloud() const;
  bool connected(const TillId& name) const;
  std::optional<Duration> silence_of(const TillId& name, Instant now) const;  // nothing: never heard since the start
  std::optional<Duration> shortest_silence(Instant now) const;

  void ping_if_silent(Instant now, const Peer& peer, Random& random, Actions& out);
  std::optional<Duration> on_pong(Instant now, const Peer& from, std::uint64_t nonce);  // the round trip
  Instant next_ping(Instant latest) const;

 private:
  struct Heartbeat {
    Instant next_ping;
    Instant next_time;  // when its clock is worth asking for again
    std::optional<std::pair<std::uint64_t, Instant>> asked;
  };

  TillId self_;
  std::map<PeerId, Peer> peers_;
  std::map<PeerId, Heartbeat> heartbeats_;
  std::map<TillId, Instant> last_heard_;  // of those whose connection ended
};

}  // namespace tillsync
