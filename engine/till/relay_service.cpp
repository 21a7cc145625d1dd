#include "engine/till/relay_service.hpp"

#include <algorithm>
#include <utility>

namespace tillsync {

RelayService::RelayService(const TillContext& context, const PeerTable& peers, ReplicaBuffer& replicas,
                           HistoryHolders& holders, const CloudGeneration& generation, PeerHealth& health,
                           StockView& stock)
    : context_(context),
      peers_(peers),
      replicas_(replicas),
      holders_(holders),
      generation_(generation),
      health_(health),
      stock_(stock) {}

bool RelayService::may_be_relayed(const TillId& till) const {
  const Member* member = context_.member(till);
  return member != nullptr && !is_person(member->role);
}

std::optional<OpenedPush> RelayService::open(const Peer& from, Push push, Actions& out) {
  const TillId till = push.chain.till;
  auto opened = !may_be_relayed(till) ? fail(ErrorKind::refused, "a push of a chain that is not to be relayed")
                                      : open_push(std::move(push), context_.config.branch,
                                                  *PublicKey::from_bytes(context_.member(till)->key));
  if (opened) return std::move(*opened);
  health_.refuse();
  out.warn("refused " + from.name.text + ": " + opened.error().message);
  out.hang_up.push_back(from.id);
  return std::nullopt;
}

// While it is not known whether the cloud has what a copy begins behind, the copy vouches for nothing.
Ack RelayService::held_ack(const Moment& at, const WireChain& chain) const {
  const ReplicaBuffer::Chain& held = *replicas_.find(chain.id());
  const Level level = held.doubted ? Level::own_disk : at.hosts ? Level::host : Level::two_disks;
  return {chain, level, held.record.held};
}

void RelayService::on_offer(const Moment& at, const Peer& from, const HistoryOffer& offer, Actions& out) {
  const ChainId chain = offer.chain.id();
  if (!may_be_relayed(chain.till)) return health_.refuse();
  const ReplicaBuffer::Chain* held = replicas_.on_offer(chain, offer.cloud, from.name == chain.till);
  if (held == nullptr)
    return health_.complain(from.name, "one history more of " + chain.till.text + " than there can be", out);
  holders_.on_offered(from.id, chain, offer.last.seq);
  out.send(from.id, held_ack(at, offer.chain));
  const bool cloud_known = held->record.cloud.seq > Seq{} || (held->asked && offer.cloud.seq > Seq{});
  if (cloud_known && !held->doubted) out.send(from.id, generation_.cloud_holds(offer.chain, held->record.cloud));
}

// What is new is acknowledged once it is durable.
void RelayService::on_push(const Moment& at, const Peer& from, OpenedPush push, Actions& out) {
  const ChainId chain = push.chain;
  holders_.on_offered(from.id, chain, push.end().seq);
  const Verdict verdict = replicas_.on_push(std::move(push));
  if (verdict == Verdict::append) {
    for (const OpenedOp& op : replicas_.newest().ops) stock_.add_op(op.op);
    return;
  }
  if (verdict == Verdict::fork)
    out.warn("the history of " + chain.till.text + " does not fit what is held here: it forked");
  out.send(from.id, held_ack(at, WireChain::of(chain)));
}

void RelayService::on_stored(const Moment& at, Actions& out) {
  for (const ChainId& chain : replicas_.on_committed()) {
    for (const auto& [id, peer] : peers_.all()) {
      if (peer.name == chain.till || holders_.offered(id, chain)) out.send(id, held_ack(at, WireChain::of(chain)));
    }
  }
}

// Only the cloud itself may say that it holds less than before: what others say of it may be old.
bool RelayService::on_cloud_ack(const Moment& at, const Peer& from, const Ack& ack, Actions& out) {
  const ChainId chain = ack.chain.id();
  const ReplicaBuffer::Chain* held = replicas_.find(chain);
  const bool old =
      held != nullptr && (ack.point.seq <= held->record.cloud.seq || ack.point.seq < held->record.base.seq);
  const bool doubted = held != nullptr && held->doubted;
  if (!from.is_cloud() && old && !doubted) return false;
  const bool less = held != nullptr && ack.point.seq < held->record.cloud.seq;  // or an old message came late
  if (!replicas_.on_cloud(chain, ack.point)) return less;
  holders_.tell(generation_.cloud_holds(ack.chain, ack.point), out);
  if (!doubted || ack.point.seq < held->record.base.seq) return less;  // if it begins anew, its till is told then
  for (const auto& [id, peer] : peers_.all()) {
    if (peer.name == chain.till)
      out.send(id, Ack{ack.chain, at.hosts ? Level::host : Level::two_disks, held->record.held});
  }
  return less;
}

void RelayService::on_other_ack(const Peer& from, const Ack& ack) {
  const ChainId chain = ack.chain.id();
  if (from.name == chain.till && ack.point.seq == Seq{} && !clone_holds(from.id, chain)) replicas_.on_forgotten(chain);
}

// Where two machines use one key, one of them may have what the other has not.
bool RelayService::clone_holds(PeerId besides, const ChainId& chain) const {
  const ReplicaBuffer::Chain* copy = replicas_.find(chain);
  return copy != nullptr && std::ranges::any_of(peers_.all(), [&](const auto& other) {
           const auto offered = holders_.offered(other.first, chain);
           return other.first != besides && other.second.name == chain.till && offered &&
                  *offered >= copy->received.seq;
         });
}

void RelayService::on_fetch(const Moment& at, const Peer& from, const Fetch& fetch, Actions& out) {
  const ChainId chain = fetch.chain.id();
  if (chain.till != from.name) return health_.refuse();  // its own is all that a till ever needs
  if (answer_from_here(from, fetch, out)) return;
  const Peer* up = peers_.upstream(at.lease);
  const bool room = fetching_.size() < kMaxFetches || fetching_.contains(chain);
  if (up != nullptr && up->is_cloud() && room) {  // the cloud keeps everything
    fetching_[chain] = from.id;
    return out.send(up->id, fetch);
  }
  out.send(from.id, Fetched{fetch.chain, fetch.from, {}, false});
}

bool RelayService::answer_from_here(const Peer& to, const Fetch& fetch, Actions& out) const {
  const ReplicaBuffer::Chain* held = replicas_.find(fetch.chain.id());
  if (held == nullptr || !held->settled || fetch.from <= held->record.base.seq) return false;
  if (held->record.cloud.seq > held->record.held.seq) return false;  // it may be another branch than the cloud's
  Fetched answer{fetch.chain, fetch.from, {}, true};
  std::size_t bytes = 0;
  context_.store.view().relay_ops(fetch.chain.id(), fetch.from, [&](Seq seq, ByteView op) {
    if (seq.value != fetch.from.value + answer.ops.size() || seq > held->record.held.seq) return false;
    if (!answer.ops.empty() && (bytes + op.size() > kMaxBatchBytes || answer.ops.size() >= kMaxBatchOps)) return false;
    bytes += op.size();
    answer.ops.emplace_back(op);
    return true;
  });
  out.send(to.id, std::move(answer));
  return true;
}

void RelayService::on_fetched(const Fetched& fetched, Actions& out) {
  const auto asked = fetching_.find(fetched.chain.id());
  if (asked == fetching_.end()) return;
  if (peers_.find(asked->second) != nullptr) out.send(asked->second, fetched);
  fetching_.erase(asked);
}

// A host passes it on; the cloud is who keeps it.
void RelayService::on_progress(const Moment& at, const Peer& from, const Progress& progress, Actions& out) {
  const Member* till = context_.member(progress.chain.till);
  if (till == nullptr || !progress.valid(context_.config.branch, *PublicKey::from_bytes(till->key)))
    return health_.complain(from.name, "a forged statement of progress", out);
  const Peer* up = peers_.upstream(at.lease);
  if (up != nullptr && up->is_cloud()) out.send(up->id, progress);
}

void RelayService::on_peer_down(PeerId id) {
  std::erase_if(fetching_, [&](const auto& each) { return each.second == id; });
}

}  // namespace tillsync
