// Chains up: offering, pushing and acknowledging, with watermarks that carry their proof.
#include <algorithm>
#include <utility>

#include "engine/ledger/moves.hpp"
#include "engine/till/till_core.hpp"
#include "storage/base/mutants.hpp"

namespace tillsync {

TillCore::Peer* TillCore::peer_of(PeerId id) {
  const auto it = peers_.find(id);
  return it == peers_.end() ? nullptr : &it->second;
}

Actions TillCore::on_peer_up(Now now, PeerId id, const TillId& name, Role role) {
  Actions out;
  if (name == config_.till) {
    out.alarm(
        "another machine uses this till's key: if you did not copy its disk, it is stolen; pair this till anew and "
        "take the old key out of the roster");
    out.hang_up.push_back(id);
    return out;
  }
  Peer peer;
  peer.name = name;
  peer.role = role;
  peer.next_ping = peer.heard = now.mono;
  peers_[id] = std::move(peer);
  out.info("connected to " + name.text);
  if (config_.roster) out.send(id, NewRoster{Binary(config_.roster->encoded())});
  tell_seen(id, name, out);
  if (election_ && !is_person(role)) take(now, election_->on_connected(now.mono, name), out);
  for (const TwoGrants& evidence : health_.evidence()) out.send(id, evidence);
  if (role == Role::till && generation_.word()) out.send(id, *generation_.word());
  pump(now, out);
  return out;
}

Actions TillCore::on_peer_down(Now now, PeerId id) {
  Actions out;
  const auto it = peers_.find(id);
  if (it == peers_.end()) return out;
  const Peer gone = std::move(it->second);
  peers_.erase(it);
  std::erase_if(proxied_fetches_, [&](const auto& each) { return each.second == id; });
  last_heard_[gone.name] = gone.heard;
  out.info("lost the connection to " + gone.name.text);
  fetch_again_ = now.mono;
  const bool still =
      std::any_of(peers_.begin(), peers_.end(), [&](const auto& p) { return p.second.name == gone.name; });
  if (election_ && !is_person(gone.role) && !still) take(now, election_->on_disconnected(now.mono, gone.name), out);
  pump(now, out);
  return out;
}

Actions TillCore::on_message(Now now, PeerId from, Message message) {
  Actions out;
  if (peer_of(from) == nullptr) return out;
  peer_of(from)->heard = now.mono;
  std::visit([&](auto& m) { handle(now, from, m, out); }, message);
  pump(now, out);
  return out;
}

const TillCore::Peer* TillCore::upstream(Now now, PeerId* id) const {
  const LeaseView lease = election_ ? election_->view(now.mono) : LeaseView{};
  const bool by_host = lease.kind != LeaseKind::none && lease.host != config_.till;
  for (const auto& [peer_id, peer] : peers_) {
    if (by_host ? peer.name == lease.host : peer.role == Role::cloud) {
      if (id != nullptr) *id = peer_id;
      return &peer;
    }
  }
  return nullptr;
}

bool TillCore::wants_cloud(Now now) const {
  if (!config_.use_cloud || !election_) return false;
  const LeaseView lease = election_->view(now.mono);
  const Member* cloud = config_.roster->cloud();
  const bool witness = cloud != nullptr && cloud->votes > 0;
  if (witness && lease.kind != LeaseKind::exclusive) return true;  // its vote may be the one that is missing
  if (lease.kind == LeaseKind::none) {
    return now.mono - hostless_since_ >= milliseconds(config_.roster->lease_ms) * 2;
  }
  return lease.host == config_.till;
}

Level TillCore::level_here(Now now) const {
  return election_ && election_->hosts(now.mono) ? Level::host : Level::two_disks;
}

// While it is not known whether the cloud has what these copies begin behind, they vouch for nothing.
Level TillCore::level_of(Now now, const ReplicaBuffer::Chain& chain) const {
  return chain.doubted ? Level::own_disk : level_here(now);
}

std::vector<OldChain> TillCore::own_chains() const {
  std::vector<OldChain> chains = state_.old_chains;
  chains.push_back({log_.chain().incarnation, log_.last(), state_.cloud});
  return chains;
}

void TillCore::pump_senders(Now now, Actions& out) {
  const Peer* up = upstream(now);
  for (const ChainId& chain : std::exchange(ask_again_, {})) {
    for (auto& [id, peer] : peers_) peer.senders.erase(chain);
  }
  const bool hosting = election_ && election_->hosts(now.mono);
  bool keeper_chosen = false;  // the host's own ops go to one other till as well
  for (auto& [id, peer] : peers_) {
    const bool keeper = hosting && !keeper_chosen && peer.role == Role::till;
    keeper_chosen = keeper_chosen || keeper;
    const bool is_up = up != nullptr && peer.name == up->name;  // its clone as well, if any: one of them has the way up
    // What it said of the cloud while it was not the way there counted for nothing: it is asked again.
    if (std::exchange(peer.is_up, is_up) != is_up) peer.senders.clear();
    if (!keeper && !is_up) {
      peer.senders.clear();
      continue;
    }
    for (const OldChain& own : own_chains()) {
      const ChainId chain{config_.till, own.incarnation};
      if (own.last.seq == Seq{}) continue;
      // What this till has let go was in the cloud, too: a host asks whether it still is.
      const ChainPoint begins = own.incarnation == log_.chain().incarnation ? state_.let_go.value : ChainPoint{};
      pump_chain(now, id, peer, chain, own.last, std::max(own.cloud, begins), false, out);
    }
    for (const auto& [chain, held] : replicas_.chains()) {
      if (keeper || (!held.settled && peer.role != Role::cloud)) continue;
      const bool in_cloud = held.record.held.seq <= held.record.cloud.seq;
      const bool ask = peer.role == Role::cloud && held.worth_asking();
      if (ask || !in_cloud || (peer.senders.contains(chain) && chain.till != peer.name)) {
        pump_chain(now, id, peer, chain, held.record.held, held.said_of_cloud(), ask && held.in_doubt(), out);
      }
    }
    for (auto it = peer.senders.begin(); it != peer.senders.end();) {
      it = std::exchange(it->second.wanted, false) ? std::next(it) : peer.senders.erase(it);
    }
  }
}

void TillCore::pump_chain(Now now, PeerId to, Peer& peer, const ChainId& chain, const ChainPoint& last,
                          const ChainPoint& cloud, bool ask_again, Actions& out) {
  ChainSender& sender = peer.senders[chain];
  sender.wanted = true;
  if (sender.next_offer(now.mono, ask_again || chain.till == peer.name))
    out.send(to, HistoryOffer{WireChain::of(chain), last, cloud});
  if (chain.till == peer.name) return;  // it has its own history; the offer asks what the cloud holds of it
  while (auto from = sender.next_batch(last.seq)) {
    if (chain.till == config_.till) {
      auto push = own_push(chain, *from, last.seq);
      if (!push) return sender.on_gone(now.mono);
      sender.on_sent(now.mono, Seq{from->value + push->ops.size() - 1});
      out.send(to, std::move(*push));
    } else {
      ReplicaBuffer::Slice slice = replicas_.read(chain, *from);
      if (slice.ops.empty()) return sender.on_gone(now.mono);
      sender.on_sent(now.mono, slice.end.seq);
      out.send(to, Push{WireChain::of(chain), *from, std::move(slice.ops), std::move(slice.signature)});
    }
  }
}

std::optional<Push> TillCore::own_push(const ChainId& chain, Seq from, Seq last) {
  if (mutated(Mutant::apply_out_of_order) && from < last) from = from.next();
  Push push{WireChain::of(chain), from, {}, {}};
  std::size_t bytes = 0;
  log_.ops(chain.incarnation, from, [&](Seq seq, ByteView op) {
    if (seq > last || push.ops.size() >= kMaxBatchOps) return false;
    if (!push.ops.empty() && bytes + op.size() > kMaxBatchBytes) return false;
    bytes += op.size();
    push.ops.emplace_back(op);
    return true;
  });
  if (push.ops.empty()) return std::nullopt;
  const ChainPoint end{Seq{from.value + push.ops.size() - 1}, blake2b(push.ops.back())};
  push.signature = Binary(config_.key.sign(push_bytes(config_.branch, chain, end)));
  return push;
}

void TillCore::handle(Now now, PeerId from, HistoryOffer& m, Actions& out) {
  Peer& peer = *peer_of(from);
  const ChainId chain = m.chain.id();
  if (chain.till == config_.till) {  // somebody offers me my own history: nothing to send, but worth comparing
    peer.offered[chain] = m.last.seq;
    on_own_held(now, peer, Ack{m.chain, Level::own_disk, m.last}, out);
    const auto mine = log_.read(chain.incarnation, m.last.seq);
    const bool forgotten = chain.incarnation != log_.chain().incarnation && (!mine || mine->hash != m.last.hash);
    if (forgotten && !state_.forks.empty()) return;  // it may come back with the fork; it will be offered again
    out.send(from, Ack{m.chain, forgotten ? Level::own_disk : level_here(now), forgotten ? ChainPoint{} : m.last});
    if (forgotten) return;
    const ChainPoint in_cloud = cloud_point(chain.incarnation, m.last);
    const bool contained = mine && mine->hash == m.last.hash && m.last.seq <= in_cloud.seq;
    if (contained) out.send(from, cloud_holds(m.chain, m.last));  // who asks may have nothing at in_cloud
    if (in_cloud.seq > Seq{}) out.send(from, cloud_holds(m.chain, in_cloud));
    return;
  }
  const Member* member = config_.roster ? config_.roster->find(chain.till) : nullptr;
  if (member == nullptr || is_person(member->role)) return void(++refused_);
  const ReplicaBuffer::Chain* held = replicas_.on_offer(chain, m.cloud, peer.name == chain.till);
  if (held == nullptr) return complain(peer.name, "one history more of " + chain.till.text + " than there can be", out);
  peer.offered[chain] = m.last.seq;
  out.send(from, Ack{m.chain, level_of(now, *held), held->record.held});
  const bool told = held->record.cloud.seq > Seq{} || (held->asked && m.cloud.seq > Seq{});
  if (told && !held->doubted) out.send(from, cloud_holds(m.chain, held->record.cloud));
}

void TillCore::handle(Now now, PeerId from, Push& m, Actions& out) {
  const WireChain wire = m.chain;
  const ChainId chain = wire.id();
  const Member* member = config_.roster ? config_.roster->find(chain.till) : nullptr;
  auto opened = member == nullptr || is_person(member->role)
                    ? fail(ErrorKind::refused, "a push of a chain that is not to be relayed")
                    : open_push(std::move(m), config_.branch, *PublicKey::from_bytes(member->key));
  if (!opened) {
    ++refused_;
    out.warn("refused " + peer_of(from)->name.text + ": " + opened.error().message);
    out.hang_up.push_back(from);
    return;
  }
  if (chain.till == config_.till) return take_divergent(from, *opened, out);
  peer_of(from)->offered[chain] = opened->end().seq;
  const Verdict verdict = replicas_.on_push(std::move(*opened));
  if (verdict == Verdict::append) {  // acknowledged once it is durable
    for (const OpenedOp& op : replicas_.newest().ops) add_branch_stock(op.op);
    return;
  }
  if (verdict == Verdict::fork)
    out.warn("the history of " + chain.till.text + " does not fit what is held here: it forked");
  out.send(from, Ack{wire, level_of(now, *replicas_.find(chain)), replicas_.find(chain)->record.held});
}

// Whatever till sold it, it counts in this till's stock: once, however it came. If it re-issues a disputed op, that one
// is void.
void TillCore::add_branch_stock(const Op& op) {
  const auto moves = stock_moves(op.kind, op.body);
  for (const auto& [sku, move] : moves)
    stock_.add(sku, {op.hlc, op.chain, op.seq, move.is_count, move.milli, move.stocked});
  if (!op.origin) return;
  const ChainId old{op.chain.till, op.origin->incarnation};
  for (const auto& [sku, move] : moves)
    stock_.retract(sku, {op.origin->hlc, old, op.origin->seq, move.is_count, move.milli, move.stocked});
}

}  // namespace tillsync
