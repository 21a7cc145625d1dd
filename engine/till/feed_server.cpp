#include "engine/till/feed_server.hpp"

#include <algorithm>
#include <utility>

#include "engine/ledger/moves.hpp"
#include "engine/till/row_reader.hpp"
#include "storage/model/op_codec.hpp"

namespace tillsync {

FeedServer::FeedServer(const TillContext& context, const PeerTable& peers, const LocalLog& log, const HistoryAcks& acks,
                       const ReplicaBuffer& replicas, PeerHealth& health)
    : context_(context), peers_(peers), log_(log), acks_(acks), replicas_(replicas), health_(health) {}

bool FeedServer::on_pull(const Peer& from, const Pull& pull, Actions& out) {
  if (pull.positions.size() + pull.feeds.size() > kMaxPositions)
    return health_.complain(from.name, "a question about more feeds than there are", out), false;
  pulls_[from.id] = pull;
  on_changed();
  return true;
}

void FeedServer::on_pull_events(const Peer& from, PullEvents pull, Actions& out) {
  if (pull.seen.size() > kMaxPositions)
    return health_.complain(from.name, "a question about more histories than there are", out);
  event_pulls_[from.id] = std::move(pull);
  on_changed();
}

void FeedServer::on_peer_down(PeerId id) {
  pulls_.erase(id);
  event_pulls_.erase(id);
}

void FeedServer::answer(bool storing, Actions& out) {
  if (!changed_) return;
  for (const auto& [id, peer] : peers_.all()) {
    answer_events(peer, out);
    if (!storing) answer_rows(peer, out);
  }
  changed_ = storing;
}

void FeedServer::answer_events(const Peer& to, Actions& out) {
  const auto waiting = event_pulls_.find(to.id);
  if (waiting == event_pulls_.end()) return;
  Events events = events_since(to.name, waiting->second);
  if (events.ops.empty()) return;
  event_pulls_.erase(waiting);
  out.send(to.id, std::move(events));
}

void FeedServer::answer_rows(const Peer& to, Actions& out) {
  const auto waiting = pulls_.find(to.id);
  if (waiting == pulls_.end()) return;
  TillView view = context_.store.view();
  Pages pages = answer_pull(view, waiting->second);
  if (pages.pages.empty()) return;
  pulls_.erase(waiting);
  out.send(to.id, std::move(pages));
}

// Ops that the reader has not seen and that the cloud's stock rows may not contain yet.
Events FeedServer::events_since(const TillId& reader, const PullEvents& pull) const {
  Events events;
  std::map<ChainId, Seq> seen;
  for (const ChainUpTo& s : pull.seen) seen[s.chain()] = s.seq;
  const auto add = [&](const ChainId& chain, Seq seq, ByteView bytes) {
    if (events.ops.size() >= kMaxEventOps) return false;
    const auto op = decode_op(bytes);
    if (!op) return false;
    Events::OpEvents each{WireChain::of(chain), seq, op->hlc, {}};
    for (const auto& [sku, move] : stock_moves(op->kind, op->body))
      each.moves.push_back({sku, move.is_count, move.milli, move.stocked});
    events.ops.push_back(std::move(each));
    return true;
  };
  const auto first_of = [&](const ChainId& chain, Seq cloud) { return std::max(seen[chain], cloud).next(); };
  for (const OldChain& own : acks_.all()) {
    const ChainId chain{context_.self(), own.incarnation};
    const Seq from = first_of(chain, own.cloud.seq);
    if (from > own.last.seq) continue;
    log_.history().visit(own.incarnation, from,
                         [&](Seq seq, ByteView bytes) { return seq <= own.last.seq && add(chain, seq, bytes); });
  }
  for (const auto& [chain, held] : replicas_.chains()) {
    const Seq from = first_of(chain, held.record.cloud.seq);
    if (chain.till == reader || from > held.record.held.seq) continue;
    context_.store.view().relay_ops(chain, from,
                                    [&, &of = chain](Seq seq, ByteView bytes) { return add(of, seq, bytes); });
  }
  return events;
}

}  // namespace tillsync
