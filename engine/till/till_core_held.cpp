// What others say that they hold of a history, the cloud above all; and doubt in it, once the cloud began anew.
#include <algorithm>
#include <utility>

#include "engine/till/till_core.hpp"
#include "storage/base/mutants.hpp"
#include "storage/model/op_codec.hpp"

namespace tillsync {

void TillCore::handle(Now now, PeerId from, Ack& m, Actions& out) {
  Peer& peer = *peer_of(from);
  const ChainId chain = m.chain.id();
  const bool by_a_till = m.level == Level::cloud && peer.role != Role::cloud;
  if (by_a_till && generation_.is_old(m.generation.value)) return;  // before it went back to a backup
  if (m.level == Level::cloud && !knows_of_cloud(now, from, chain)) return void(++refused_);
  const bool answers_sender = peer.role == Role::cloud || m.level != Level::cloud;
  const auto sender = peer.senders.find(chain);
  if (answers_sender && sender != peer.senders.end()) sender->second.on_held(now.mono, m.point.seq);
  if (chain.till == config_.till) {
    on_own_held(now, peer, m, out);
  } else if (m.level == Level::cloud) {
    on_relay_held(now, peer, m, out);
  } else if (peer.name == chain.till && m.point.seq == Seq{} && !its_twin_knows(from, chain)) {
    replicas_.on_forgotten(chain);
  }
  settle_waiters(now, out);
}

// Where two machines use one key, one of them may have what the other has not.
bool TillCore::its_twin_knows(PeerId id, const ChainId& chain) const {
  const ReplicaBuffer::Chain* copy = replicas_.find(chain);
  return copy != nullptr && std::ranges::any_of(peers_, [&](const auto& other) {
           const auto offered = other.second.offered.find(chain);
           const bool there = other.first != id && other.second.name == chain.till;
           return there && offered != other.second.offered.end() && offered->second >= copy->received.seq;
         });
}

// Whose word on what the cloud holds counts: the cloud's own, that of the host, and each till's on its own history.
bool TillCore::knows_of_cloud(Now now, PeerId from, const ChainId& chain) const {
  const Peer& peer = peers_.at(from);
  const Peer* up = upstream(now);
  return peer.role == Role::cloud || peer.name == chain.till || (up != nullptr && up->name == peer.name);
}

void TillCore::handle(Now now, PeerId from, Busy& m, Actions& out) {
  Peer& peer = *peer_of(from);
  const auto sender = peer.senders.find(m.chain.id());
  if (peer.role != Role::cloud || sender == peer.senders.end()) return;
  const Duration wait = std::min<Duration>(milliseconds(m.after_ms), kLongestBusy);
  sender->second.on_busy(now.mono + wait);
  if (!std::exchange(peer.busy_told, true))
    out.info("the cloud takes no more of " + m.chain.till.text + " for " + std::to_string(to_ms(wait)) +
             " ms: it comes back then, and so on until all is there");
}

void TillCore::handle(Now, PeerId from, CloudReset& m, Actions& out) {
  const Peer& peer = *peer_of(from);
  if (generation_.word() && generation_.word()->generation == m.generation) return;  // mostly; signatures take time
  const Member* cloud = config_.roster ? config_.roster->cloud() : nullptr;
  if (cloud == nullptr || !m.valid(*PublicKey::from_bytes(cloud->key)))
    return complain(peer.name, "what the cloud is said to have said of a backup, and did not sign", out);
  if (!generation_.hear(m, peer.role == Role::cloud)) return;
  for (const auto& [id, other] : peers_) {
    if (id != from && other.role == Role::till) out.send(id, m);
  }
}

// How far the cloud holds a history of this till; one that is no longer listed is held whole.
ChainPoint TillCore::cloud_point(Incarnation incarnation, const ChainPoint& last) const {
  for (const OldChain& own : own_chains()) {
    if (own.incarnation == incarnation) return own.cloud;
  }
  const auto mine = log_.read(incarnation, last.seq);
  const bool disputed = std::any_of(state_.forks.begin(), state_.forks.end(),
                                    [&](const ForkState& f) { return f.old_incarnation == incarnation; });
  return mine && mine->hash == last.hash && !disputed ? last : ChainPoint{};
}

// Where the history that this database was rebuilt with begins; nothing when it has all of it.
ChainPoint TillCore::rebuilt_base() const {
  for (const ForkState& fork : state_.forks) {
    if (fork.old_incarnation == log_.chain().incarnation) return fork.old_end;
  }
  return {};
}

void TillCore::on_own_held(Now now, const Peer& peer, const Ack& m, Actions& out) {
  const Incarnation incarnation = m.chain.incarnation;
  if (incarnation != log_.chain().incarnation) {
    for (OldChain& old : state_.old_chains) {
      if (old.incarnation != incarnation || m.level != Level::cloud) continue;
      const auto mine = log_.read(incarnation, m.point.seq);
      const bool ours = m.point.seq == Seq{} || (m.point.seq <= old.last.seq && mine && mine->hash == m.point.hash);
      state_dirty_ = true;
      if (ours) {
        old.cloud = m.point;
        tell_keepers(m, out);
      } else {  // not what the fork was settled with: compare again, with the cloud's
        state_.forks.insert(state_.forks.begin(),
                            ForkState{incarnation, old.last, old.cloud, {}, {}, old.cloud, old.cloud});
        old.last = {};
      }
    }
    std::erase_if(state_.old_chains, [](const OldChain& old) { return old.cloud.seq >= old.last.seq; });
    return;
  }
  if (m.point.seq < state_.let_go.value.seq) return on_below_vault(peer, m, out);
  told_below_vault_ = told_below_vault_ && m.level != Level::cloud;
  if (m.point.seq > Seq{} && m.point != rebuilt_base() && m.point != state_.let_go.value) {
    if (m.point.seq < rebuilt_base().seq) return;  // can't be checked before the vault has it back
    const auto mine = m.point.seq <= log_.last().seq ? log_.read(incarnation, m.point.seq) : std::nullopt;
    if (!mine || mine->hash != m.point.hash) {
      if (m.point.seq <= log_.last().seq && store_.damaged()) return;  // it is our disk that lies; say so, don't fork
      if (!believes_in_fork(peer, out)) return;
      fork_wanted_ = peer.name.text + " holds a different history of this till (was a backup restored?)";
      return;
    }
  }
  if (m.level == Level::cloud || (mutated(Mutant::trust_host) && m.level == Level::host)) {
    const bool trusted_drop = peer.role == Role::cloud && m.point.seq < state_.cloud.seq;  // the cloud lost something
    if (m.point.seq > state_.cloud.seq || trusted_drop) {
      state_.cloud = m.point;
      if (trusted_drop) ask_again_.insert(log_.chain());  // or it is an old word, overtaken by what the host told
      tell_keepers(m, out);
      if (!checkpoint_due_) checkpoint_due_ = now.mono + kCheckpointAfter;
    }
  } else if (const Peer* up = upstream(now); m.level == Level::host && up != nullptr && up->name == peer.name) {
    host_held_ = m.point;
  } else if (m.level == Level::two_disks && peer.senders.contains(log_.chain())) {
    copy_held_ = m.point;
  }
}

// The cloud began anew, most likely from a backup: nothing of what it held is held until it says so again, of every
// history that this disk has. What it lacks is sent again from the vault.
void TillCore::doubt_cloud(TillView& view, Actions& out) {
  const bool believed = state_.cloud.seq > Seq{} || !state_.old_chains.empty() || !replicas_.chains().empty();
  state_.cloud = {};
  for (OldChain& old : state_.old_chains) old.cloud = {};
  for (ForkState& fork : state_.forks) fork.in_cloud = {};
  for (const auto& [incarnation, last] : left_histories(view)) {
    const bool listed =
        std::ranges::any_of(state_.old_chains, [&, id = incarnation](auto& old) { return old.incarnation == id; });
    if (!listed && fork_of(incarnation) == nullptr) state_.old_chains.push_back({incarnation, last, {}});
  }
  replicas_.doubt_cloud();
  host_held_ = copy_held_ = {};
  for (auto& [id, peer] : peers_) peer.senders.clear();
  if (believed) out.warn("the cloud began anew, as after a restore from a backup: what it lacks is sent again");
}

// Those before the present one, each up to where it may have split: what lies behind was re-issued.
std::map<Incarnation, ChainPoint> TillCore::left_histories(TillView& view) const {
  std::map<Incarnation, ChainPoint> left;
  std::optional<Incarnation> at = Incarnation{0};
  while (at) {
    std::optional<Incarnation> found;
    view.all_ops(*at, Seq{0}, [&](Incarnation each, Seq, ByteView) { return found = each, false; });
    at = found ? std::optional(Incarnation{found->value + 1}) : std::nullopt;
    if (!found || *found == log_.chain().incarnation) continue;
    ChainPoint last;
    view.ops(*found, Seq{1}, [&](Seq seq, ByteView bytes) {
      const bool first = last.seq == Seq{};  // older ones may have been let go
      const auto op = first || seq == last.seq.next() ? decode_op(bytes) : std::nullopt;
      if (!op || (!first && op->prev != last.hash)) return false;
      last = {seq, blake2b(bytes)};
      return true;
    });
    if (last.seq > Seq{}) left[*found] = last;
  }
  return left;
}

void TillCore::on_relay_held(Now now, const Peer& peer, const Ack& m, Actions& out) {
  const ChainId chain = m.chain.id();
  const auto asked = peer.compares.find(chain);
  if (asked != peer.compares.end() && asked->second == m.point) replicas_.on_contained(chain, m.point);
  // Only the cloud itself may take its word back: what others say of it may be old.
  const ReplicaBuffer::Chain* held = replicas_.find(chain);
  const bool old = held != nullptr && (m.point.seq <= held->record.cloud.seq || m.point.seq < held->record.base.seq);
  const bool doubted = held != nullptr && held->doubted;
  if (peer.role != Role::cloud && old && !doubted) return;
  if (held != nullptr && m.point.seq < held->record.cloud.seq) ask_again_.insert(chain);  // or an old word came late
  if (!replicas_.on_cloud(chain, m.point)) return;
  tell_keepers(m, out);
  if (!doubted || m.point.seq < held->record.base.seq) return;  // otherwise it begins anew, and its till is told then
  for (const auto& [id, other] : peers_) {
    if (other.name == chain.till) out.send(id, Ack{m.chain, level_here(now), held->record.held});
  }
}

Ack TillCore::cloud_holds(const WireChain& chain, const ChainPoint& point) const {
  return {chain, Level::cloud, point, {generation_.value()}};
}

// Those who hold ops of a history let them go once they hear that the cloud has them.
void TillCore::tell_keepers(const Ack& m, Actions& out) {
  const ChainId chain = m.chain.id();
  for (auto& [id, other] : peers_) {
    const bool keeps = other.name == chain.till || other.offered.contains(chain) || other.senders.contains(chain);
    if (other.role == Role::till && keeps) out.send(id, cloud_holds(m.chain, m.point));
  }
}

}  // namespace tillsync
