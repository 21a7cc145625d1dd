#include "engine/till/uplink.hpp"

#include <algorithm>
#include <utility>

#include "storage/base/mutants.hpp"

namespace tillsync {

Uplink::Uplink(const TillContext& context, const PeerTable& peers, const LocalLog& log, const HistoryAcks& acks,
               const ReplicaBuffer& replicas)
    : context_(context), peers_(peers), log_(log), acks_(acks), replicas_(replicas) {}

void Uplink::send(const Moment& at, Actions& out) {
  const Peer* up = peers_.upstream(at.lease);
  bool keeper_chosen = false;
  for (const auto& [id, peer] : peers_.all()) {
    Line& line = lines_[id];
    const bool keeper = at.hosts && !keeper_chosen && peer.role == Role::till;
    keeper_chosen = keeper_chosen || keeper;
    const bool is_up = up != nullptr && peer.name == up->name;  // its clone as well, if any: one of them has the way up
    // What it said of the cloud while it was not the way there counted for nothing: it is asked again.
    if (std::exchange(line.is_up, is_up) != is_up) line.chains.clear();
    if (!keeper && !is_up) {
      line.chains.clear();
      continue;
    }
    send_own(at, peer, line, out);
    if (!keeper) send_replicas(at, peer, line, out);
    for (auto it = line.chains.begin(); it != line.chains.end();) {
      it = std::exchange(it->second.wanted, false) ? std::next(it) : line.chains.erase(it);
    }
  }
}

void Uplink::send_own(const Moment& at, const Peer& to, Line& line, Actions& out) {
  for (const OldChain& own : acks_.all()) {
    if (own.last.seq == Seq{}) continue;
    // What this till has let go was in the cloud, too: a host asks whether it still is.
    const ChainPoint begins = own.incarnation == log_.chain().incarnation ? acks_.let_go() : ChainPoint{};
    const ChainId chain{context_.self(), own.incarnation};
    send(at, to, line, {chain, own.last, std::max(own.cloud, begins)}, out);
  }
}

void Uplink::send_replicas(const Moment& at, const Peer& to, Line& line, Actions& out) {
  for (const auto& [chain, held] : replicas_.chains()) {
    if (!held.settled && !to.is_cloud()) continue;
    const bool in_cloud = held.record.held.seq <= held.record.cloud.seq;
    const bool ask = to.is_cloud() && held.worth_asking();
    if (ask || !in_cloud || (line.chains.contains(chain) && chain.till != to.name))
      send(at, to, line, {chain, held.record.held, held.said_of_cloud(), ask && held.in_doubt()}, out);
  }
}

void Uplink::send(const Moment& at, const Peer& to, Line& line, const Stretch& stretch, Actions& out) {
  const ChainId& chain = stretch.chain;
  Sending& sending = line.chains[chain];
  sending.wanted = true;
  ChainSender& sender = sending.sender;
  if (sender.next_offer(at.mono(), stretch.ask_again || chain.till == to.name))
    out.send(to.id, HistoryOffer{WireChain::of(chain), stretch.last, stretch.cloud});
  if (chain.till == to.name) return;  // it has its own history; the offer asks what the cloud holds of it
  while (auto from = sender.next_batch(stretch.last.seq)) {
    if (chain.till == context_.self()) {
      auto push = own_push(chain, *from, stretch.last.seq);
      if (!push) return sender.on_gone(at.mono());
      sender.on_sent(at.mono(), Seq{from->value + push->ops.size() - 1});
      out.send(to.id, std::move(*push));
    } else {
      ReplicaBuffer::Slice slice = replicas_.read(chain, *from);
      if (slice.ops.empty()) return sender.on_gone(at.mono());
      sender.on_sent(at.mono(), slice.end.seq);
      out.send(to.id, Push{WireChain::of(chain), *from, std::move(slice.ops), std::move(slice.signature)});
    }
  }
}

std::optional<Push> Uplink::own_push(const ChainId& chain, Seq from, Seq last) const {
  if (mutated(Mutant::apply_out_of_order) && from < last) from = from.next();
  Push push{WireChain::of(chain), from, {}, {}};
  std::size_t bytes = 0;
  log_.history().visit(chain.incarnation, from, [&](Seq seq, ByteView op) {
    if (seq > last || push.ops.size() >= kMaxBatchOps) return false;
    if (!push.ops.empty() && bytes + op.size() > kMaxBatchBytes) return false;
    bytes += op.size();
    push.ops.emplace_back(op);
    return true;
  });
  if (push.ops.empty()) return std::nullopt;
  const ChainPoint end{Seq{from.value + push.ops.size() - 1}, blake2b(push.ops.back())};
  push.signature = Binary(context_.config.key.sign(push_bytes(context_.config.branch, chain, end)));
  return push;
}

void Uplink::on_ack(Instant now, const Peer& from, const Ack& ack) {
  if (!from.is_cloud() && ack.level == Level::cloud) return;
  Line& line = lines_[from.id];
  const auto it = line.chains.find(ack.chain.id());
  if (it != line.chains.end()) it->second.sender.on_held(now, ack.point.seq);
}

void Uplink::on_busy(Instant now, const Peer& from, const Busy& busy, Actions& out) {
  Line& line = lines_[from.id];
  const auto it = line.chains.find(busy.chain.id());
  if (!from.is_cloud() || it == line.chains.end()) return;
  const Duration wait = std::min<Duration>(milliseconds(busy.after_ms), kLongestBusy);
  it->second.sender.on_busy(now + wait);
  if (!std::exchange(line.busy_reported, true))
    out.info("the cloud takes no more of " + busy.chain.till.text + " for " + std::to_string(to_ms(wait)) +
             " ms: it comes back then, and so on until all is there");
}

void Uplink::ask_again(const ChainId& chain) {
  for (auto& [id, line] : lines_) line.chains.erase(chain);
}

void Uplink::ask_again_all() {
  for (auto& [id, line] : lines_) line.chains.clear();
}

bool Uplink::sends(PeerId to, const ChainId& chain) const {
  const auto line = lines_.find(to);
  return line != lines_.end() && line->second.chains.contains(chain);
}

Instant Uplink::next_wake(Instant latest) const {
  for (const auto& [id, line] : lines_) {
    for (const auto& [chain, sending] : line.chains) {
      if (const auto at = sending.sender.next_wake()) latest = std::min(latest, *at);
    }
  }
  return latest;
}

}  // namespace tillsync
