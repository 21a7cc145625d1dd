#include "engine/till/feed_follower.hpp"

#include <algorithm>
#include <utility>

#include "storage/base/pack.hpp"

namespace tillsync {

FeedFollower::FeedFollower(const TillContext& context, RowReader& rows, StockView& stock, StockSweep& sweep,
                           LocalLog& log, CloudGeneration& generation, PeerHealth& health, CheckpointTimer& timer)
    : context_(context),
      rows_(rows),
      stock_(stock),
      sweep_(sweep),
      log_(log),
      generation_(generation),
      health_(health),
      timer_(timer) {}

void FeedFollower::restore_events(const TillState& stored) {
  TillView view = context_.store.view();
  view.event_groups([&](const std::string& sku, const ChainId& chain, Seq last) {
    Seq& seen = events_seen_[chain];
    seen = std::max(seen, last);
    if (chain.till != context_.self()) return;
    // Up to there the database has the ops as well: they were stored with their events.
    const Seq sure = chain.incarnation == stored.incarnation ? stored.last.seq : Seq{};
    view.events_of(sku, chain, sure.next(), last, [&](const StockEvent& event) {
      const auto op = log_.history().read(chain.incarnation, event.seq);
      if (!op || op->op.hlc != event.hlc) stock_.retract(sku, event);
    });
  });
}

void FeedFollower::follow(const Peer* up) {
  const auto id = up == nullptr ? std::nullopt : std::optional(up->id);
  if (std::exchange(followed_, id) != id) rows_asked_ = events_asked_ = false;
}

void FeedFollower::pull(const Peer& up, Actions& out) {
  if (!rows_asked_ && !rows_.dirty()) {
    rows_asked_ = true;
    out.send(up.id, rows_.next_pull());
  }
  if (up.role == Role::till && !events_asked_) {
    events_asked_ = true;
    PullEvents pull;
    for (const auto& [chain, seq] : events_seen_) pull.seen.push_back({chain.till, chain.incarnation, seq});
    out.send(up.id, std::move(pull));
  }
}

void FeedFollower::hear_of(const Pull& pull, const Peer* up) {
  for (const RowPosition& p : pull.positions) {
    const bool is_new = p.generation != 0 && rows_.hear_of({p.feed, p.kind});
    if (is_new && up != nullptr && up->id == followed_) rows_asked_ = false;  // what waits there does not ask for it
  }
}

void FeedFollower::on_pages(const Peer& from, const Peer* up, Pages pages) {
  if (up == nullptr || up->id != from.id || from.id != followed_ || !std::exchange(rows_asked_, false)) return;
  rows_.on_pages(std::move(pages));
}

void FeedFollower::on_events(const Moment& at, const Peer& from, const Events& events) {
  const bool asked = from.id == followed_ && std::exchange(events_asked_, false);
  if (!asked) return health_.refuse();  // it hosts no more
  for (const Events::OpEvents& op : events.ops) {
    const ChainId chain = op.chain.id();
    if (chain.till == context_.self()) continue;
    Seq& seen = events_seen_[chain];
    if (op.seq <= seen) continue;
    seen = op.seq;
    for (const auto& move : op.moves)
      stock_.add(move.sku, {op.hlc, chain, op.seq, move.is_count, move.milli, move.stocked});
    log_.clock().observe(op.hlc, at.wall_ms);
  }
  timer_.start_soon(at.mono());
}

void FeedFollower::tell_seen(const Peer& to, Actions& out) const {
  Seen seen;
  for (const auto& [chain, seq] : events_seen_) {
    if (chain.till == to.name) seen.histories.push_back({chain.till, chain.incarnation, seq});
  }
  if (!seen.histories.empty()) out.send(to.id, std::move(seen));
}

void FeedFollower::write(const Moment&, Checkpoint& into) {
  rows_.form(into.view, into.batch, [&](const FeedKind& feed, const Row& row) {
    if (feed != stock_feed(context_.config.branch)) return;
    stock_.set_row(row.id, unpack<StockRow>(row.fields).value_or(StockRow{}));
    sweep_.on_stock_row();
  });
  if (const std::uint64_t of_rows = rows_.take_generation()) generation_.on_rows(of_rows);
}

}  // namespace tillsync
