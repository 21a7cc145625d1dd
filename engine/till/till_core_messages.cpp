// Which part gets which message.
#include <utility>

#include "engine/till/till_core.hpp"

namespace tillsync {

// If somebody offers this till its own history, there is nothing to send, but it is worth comparing.
void TillCore::handle(const Moment& at, const Peer& from, HistoryOffer& m, Actions& out) {
  if (m.chain.till != config_.till) return relay_.on_offer(at, from, m, out);
  holders_.on_offered(from.id, m.chain.id(), m.last.seq);
  on_own_ack(at, from, Ack{m.chain, Level::own_disk, m.last}, out);
  for (Ack& ack : acks_.compared(at, m, generation_)) out.send(from.id, std::move(ack));
}

void TillCore::handle(const Moment& at, const Peer& from, Push& m, Actions& out) {
  auto push = relay_.open(from, std::move(m), out);
  if (!push) return;
  if (push->chain.till == config_.till) return reissue_.on_batch(from, *push, out);
  relay_.on_push(at, from, std::move(*push), out);
}

// What the cloud holds counts if the cloud says it, the host, or a till of its own history.
void TillCore::handle(const Moment& at, const Peer& from, Ack& m, Actions& out) {
  const bool of_cloud = m.level == Level::cloud;
  if (of_cloud && !from.is_cloud()) {
    if (generation_.is_old(m.generation.value)) return;  // before it went back to a backup
    const Peer* up = peers_.upstream(at.lease);
    const bool may_know = from.name == m.chain.till || (up != nullptr && up->name == from.name);
    if (!may_know) return health_.refuse();
  }
  uplink_.on_ack(at.mono(), from, m);
  if (m.chain.till == config_.till) {
    on_own_ack(at, from, m, out);
  } else if (of_cloud) {
    divergent_.on_ack(from, m);
    if (relay_.on_cloud_ack(at, from, m, out)) uplink_.ask_again(m.chain.id());
  } else {
    relay_.on_other_ack(from, m);
  }
  waiters_.settle(at.mono(), out);
}

void TillCore::on_own_ack(const Moment& at, const Peer& from, const Ack& ack, Actions& out) {
  const Peer* up = peers_.upstream(at.lease);
  const bool is_up = up != nullptr && up->name == from.name;
  const bool is_fed = uplink_.sends(from.id, log_.chain());
  const HistoryAcks::Heard heard = acks_.on_ack({from, is_up, is_fed}, ack, at.mono(), out);
  if (heard.cloud_moved) holders_.tell(generation_.cloud_holds(ack.chain, ack.point), out);
  if (heard.ask_again) uplink_.ask_again(log_.chain());
}

void TillCore::handle(const Moment& at, const Peer& from, Busy& m, Actions& out) {
  uplink_.on_busy(at.mono(), from, m, out);
}

void TillCore::handle(const Moment& at, const Peer& from, Fetch& m, Actions& out) { relay_.on_fetch(at, from, m, out); }

void TillCore::handle(const Moment& at, const Peer&, Fetched& m, Actions& out) {
  m.chain.till == config_.till ? repair_.on_fetched(at, m, checkpoints_, out) : relay_.on_fetched(m, out);
}

void TillCore::handle(const Moment&, const Peer& from, DivergentBatchAck& m, Actions&) {
  divergent_.on_batch_ack(from, m);
}

void TillCore::handle(const Moment&, const Peer& from, CloudReset& m, Actions& out) {
  resets_.on_message(from, m, out);
}

void TillCore::handle(const Moment& at, const Peer& from, Pull& m, Actions& out) {
  if (server_.on_pull(from, m, out)) follower_.hear_of(m, peers_.upstream(at.lease));
}

void TillCore::handle(const Moment& at, const Peer& from, Pages& m, Actions&) {
  follower_.on_pages(from, peers_.upstream(at.lease), std::move(m));
}

void TillCore::handle(const Moment&, const Peer& from, PullEvents& m, Actions& out) {
  server_.on_pull_events(from, std::move(m), out);
}

void TillCore::handle(const Moment& at, const Peer& from, Events& m, Actions&) { follower_.on_events(at, from, m); }

void TillCore::handle(const Moment&, const Peer& from, Seen& m, Actions& out) {
  if (const auto lost = claims_.on_seen(from, m, acks_.old(), out)) repair_.follow_lost(*lost, out);
}

void TillCore::handle(const Moment& at, const Peer& from, Progress& m, Actions& out) {
  relay_.on_progress(at, from, m, out);
}

void TillCore::handle(const Moment& at, const Peer& from, Ping& m, Actions& out) {
  out.send(from.id, Pong{m.nonce, at.wall_ms, clock_.known()});
}

// The cloud knows the time, and the host if it has it from the cloud.
void TillCore::handle(const Moment& at, const Peer& from, Pong& m, Actions& out) {
  const auto round_trip = peers_.on_pong(at.mono(), from, m.nonce);
  if (!round_trip) return;
  const Peer* up = peers_.upstream(at.lease);
  const bool knows = from.is_cloud() || (m.from_cloud && up != nullptr && up->id == from.id);
  if (knows && clock_.on_time(at.now, m.wall_ms + to_ms(*round_trip) / 2, out)) progress_.cancel();
}

void TillCore::handle(const Moment&, const Peer& from, Vitals& m, Actions&) {
  if (from.role != Role::till) return;
  health_.on_vitals(from.name, m);
  leadership_.on_fitness(from.name, m.fitness);
}

void TillCore::handle(const Moment& at, const Peer&, NewRoster& m, Actions& out) {
  if (context_.roster && m.roster == context_.roster->encoded()) return;  // mostly; signatures take their time
  const auto roster = Roster::decode(m.roster);
  roster ? adopt_roster(at, *roster, out) : health_.refuse();
}

void TillCore::handle(const Moment&, const Peer& from, TwoGrants& m, Actions& out) {
  health_.on_evidence(from.name, m, out);
}

void TillCore::handle(const Moment&, const Peer& from, Commanded& m, Actions& out) {
  commands_.on_commanded(from, m, out);
}

void TillCore::handle(const Moment&, const Peer& from, Unknown& m, Actions& out) {
  out.info(from.name.text + " sent a message of type " + std::to_string(m.type) + " that this release does not know");
}

}  // namespace tillsync
