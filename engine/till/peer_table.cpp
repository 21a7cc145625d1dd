#include "engine/till/peer_table.hpp"

#include <algorithm>

namespace tillsync {

const Peer& PeerTable::on_up(Instant now, PeerId id, const TillId& name, Role role) {
  heartbeats_[id] = {now, {}, {}};
  return peers_[id] = Peer{id, name, role, now};
}

std::optional<Peer> PeerTable::on_down(PeerId id) {
  const auto it = peers_.find(id);
  if (it == peers_.end()) return std::nullopt;
  Peer gone = std::move(it->second);
  peers_.erase(it);
  heartbeats_.erase(id);
  last_heard_[gone.name] = gone.heard;
  return gone;
}

const Peer* PeerTable::on_heard(Instant now, PeerId id) {
  const auto it = peers_.find(id);
  if (it == peers_.end()) return nullptr;
  it->second.heard = now;
  return &it->second;
}

const Peer* PeerTable::find(PeerId id) const {
  const auto it = peers_.find(id);
  return it == peers_.end() ? nullptr : &it->second;
}

const Peer* PeerTable::upstream(const LeaseView& lease) const {
  const bool by_host = lease.kind != LeaseKind::none && lease.host != self_;
  for (const auto& [id, peer] : peers_) {
    if (by_host ? peer.name == lease.host : peer.is_cloud()) return &peer;
  }
  return nullptr;
}

const Peer* PeerTable::cloud() const {
  const Peer* found = nullptr;
  for (const auto& [id, peer] : peers_) found = peer.is_cloud() ? &peer : found;
  return found;
}

bool PeerTable::connected(const TillId& name) const {
  return std::ranges::any_of(peers_, [&](const auto& each) { return each.second.name == name; });
}

std::optional<Duration> PeerTable::silence_of(const TillId& name, Instant now) const {
  std::optional<Instant> heard;
  if (const auto it = last_heard_.find(name); it != last_heard_.end()) heard = it->second;
  for (const auto& [id, peer] : peers_) {
    if (peer.name == name) heard = std::max(heard.value_or(peer.heard), peer.heard);
  }
  return heard ? std::optional(now - *heard) : std::nullopt;
}

std::optional<Duration> PeerTable::shortest_silence(Instant now) const {
  std::optional<Duration> shortest;
  const auto count = [&](Instant heard) { shortest = std::min(shortest.value_or(now - heard), now - heard); };
  for (const auto& [id, peer] : peers_) count(peer.heard);
  for (const auto& [name, heard] : last_heard_) count(heard);
  return shortest;
}

void PeerTable::ping_if_silent(Instant now, const Peer& peer, Random& random, Actions& out) {
  Heartbeat& beat = heartbeats_.at(peer.id);
  if (now >= beat.next_ping && now < beat.next_time) {
    const Duration after = self_ < peer.name ? kPingEvery : kPingEvery + kPingLast;  // one of the two asks
    beat.next_ping = std::max(beat.next_ping, peer.heard + after);                   // it spoke: no need to ask
  }
  if (now < beat.next_ping) return;
  beat.next_ping = now + kPingEvery;
  beat.next_time = now + kTimeEvery;
  beat.asked = {random.next(), now};
  out.send(peer.id, Ping{beat.asked->first});
}

std::optional<Duration> PeerTable::on_pong(Instant now, const Peer& from, std::uint64_t nonce) {
  auto& asked = heartbeats_.at(from.id).asked;
  if (!asked || asked->first != nonce) return std::nullopt;
  const Duration round_trip = now - asked->second;
  asked.reset();
  return round_trip;
}

Instant PeerTable::next_ping(Instant latest) const {
  for (const auto& [id, beat] : heartbeats_) latest = std::min(latest, beat.next_ping);
  return latest;
}

}  // namespace tillsync
