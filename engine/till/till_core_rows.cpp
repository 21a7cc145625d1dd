// Rows and stock events down, and the time.
#include <cstdlib>

#include "engine/ledger/moves.hpp"
#include "engine/till/till_core.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/op_codec.hpp"

namespace tillsync {

namespace {
constexpr std::size_t kMaxEventOps = 500;  // in one answer; the reader asks again
}

void TillCore::pump_pulls(Now now, Actions& out) {
  PeerId up;
  const bool has_up = upstream(now, &up) != nullptr;
  for (auto& [id, peer] : peers_) {
    const bool is_up = has_up && id == up;
    if (!is_up) peer.pulling = peer.pulling_events = false;
    if (is_up && !peer.pulling && !rows_.dirty()) {
      peer.pulling = true;
      out.send(id, rows_.next_pull());
    }
    if (is_up && peer.role == Role::till && !peer.pulling_events) {
      peer.pulling_events = true;
      PullEvents pull;
      for (const auto& [chain, seq] : events_seen_) pull.seen.push_back({chain.till, chain.incarnation, seq});
      out.send(id, std::move(pull));
    }
    if (now.mono >= peer.next_ping && now.mono < peer.next_time) {
      const Duration after = config_.till < peer.name ? kPingEvery : kPingEvery + kPingLast;  // one of the two asks
      peer.next_ping = std::max(peer.next_ping, peer.heard + after);  // it spoke: no need to ask
    }
    if (now.mono >= peer.next_ping) {
      peer.next_ping = now.mono + kPingEvery;
      peer.next_time = now.mono + kTimeEvery;
      peer.ping = {random_.next(), now.mono};
      out.send(id, Ping{peer.ping->first});
    }
  }
}

void TillCore::handle(Now now, PeerId from, Pull& m, Actions& out) {
  if (m.positions.size() + m.feeds.size() > kMaxPositions)
    return complain(peer_of(from)->name, "a question about more feeds than there are", out);
  PeerId up;
  for (const RowPosition& p : m.positions) {
    const bool news = p.generation != 0 && rows_.hear_of({p.feed, p.kind});
    if (news && upstream(now, &up) != nullptr) peer_of(up)->pulling = false;  // what waits there does not ask for it
  }
  peer_of(from)->parked_pull = std::move(m);
  news_ = true;
}

void TillCore::handle(Now, PeerId from, PullEvents& m, Actions& out) {
  if (m.seen.size() > kMaxPositions)
    return complain(peer_of(from)->name, "a question about more histories than there are", out);
  peer_of(from)->parked_events = std::move(m);
  news_ = true;
}

// A till whose disk went back in time can't know; whoever counted its sales can tell.
void TillCore::tell_seen(PeerId to, const TillId& name, Actions& out) {
  Seen seen;
  for (const auto& [chain, seq] : events_seen_) {
    if (chain.till == name) seen.histories.push_back({chain.till, chain.incarnation, seq});
  }
  if (!seen.histories.empty()) out.send(to, std::move(seen));
}

void TillCore::handle(Now, PeerId from, Seen& m, Actions& out) {
  for (const ChainUpTo& each : m.histories) {
    if (each.till == config_.till && knows_nothing()) return follow_lost(each.chain(), out);
    if (each.chain() == log_.chain() && each.seq > log_.last().seq && believes_in_fork(*peer_of(from), out))
      fork_wanted_ =
          peer_of(from)->name.text + " has seen sales of this till that it has no more (was a backup restored?)";
    if (each.till == config_.till && !knows(each.incarnation)) lost_ = each.chain();
  }
}

void TillCore::answer_parked(Now, Actions& out) {
  if (!news_) return;
  for (auto& [id, peer] : peers_) {
    if (peer.parked_events) {
      Events events = events_since(peer.name, *peer.parked_events);
      if (!events.ops.empty()) {
        peer.parked_events.reset();
        out.send(id, std::move(events));
      }
    }
    if (peer.parked_pull && !committing_) {
      TillView view = store_.view();
      Pages pages = answer_pull(view, *peer.parked_pull);
      if (!pages.pages.empty()) {
        peer.parked_pull.reset();
        out.send(id, std::move(pages));
      }
    }
  }
  if (!committing_) news_ = false;
}

// Ops that the reader has not seen and that the cloud's stock rows may not contain yet.
Events TillCore::events_since(const TillId& reader, const PullEvents& pull) {
  Events events;
  std::map<ChainId, Seq> seen;
  for (const ChainUpTo& s : pull.seen) seen[s.chain()] = s.seq;
  auto add = [&](const ChainId& chain, Seq seq, ByteView bytes) {
    if (events.ops.size() >= kMaxEventOps) return false;
    const auto op = decode_op(bytes);
    if (!op) return false;
    Events::OpEvents each{WireChain::of(chain), seq, op->hlc, {}};
    for (const auto& [sku, move] : stock_moves(op->kind, op->body))
      each.moves.push_back({sku, move.is_count, move.milli, move.stocked});
    events.ops.push_back(std::move(each));
    return true;
  };
  auto first_of = [&](const ChainId& chain, Seq cloud) { return std::max(seen[chain], cloud).next(); };
  for (const OldChain& own : own_chains()) {
    const ChainId chain{config_.till, own.incarnation};
    const Seq from = first_of(chain, own.cloud.seq);
    if (from > own.last.seq) continue;
    log_.ops(own.incarnation, from,
             [&](Seq seq, ByteView bytes) { return seq <= own.last.seq && add(chain, seq, bytes); });
  }
  for (const auto& [chain, held] : replicas_.chains()) {
    const Seq from = first_of(chain, held.record.cloud.seq);
    if (chain.till == reader || from > held.record.held.seq) continue;
    const ChainId& which = chain;
    store_.view().relay_ops(chain, from, [&](Seq seq, ByteView bytes) { return add(which, seq, bytes); });
  }
  return events;
}

void TillCore::handle(Now now, PeerId from, Pages& m, Actions&) {
  Peer& peer = *peer_of(from);
  PeerId up;
  if (upstream(now, &up) == nullptr || up != from || !peer.pulling) return;
  peer.pulling = false;
  rows_.on_pages(std::move(m));
}

// Events that no stock row will ever contain go: of a history that is closed (a backup was restored, and its till could
// not re-issue them), or with the number of an op that the cloud holds otherwise.
void TillCore::sweep_stock(Now now, TillView& view) {
  if (!sweep_wanted_ || now.mono < next_sweep_) return;
  sweep_wanted_ = stock_.adding();  // what is stored now for the first time is looked at the next time
  next_sweep_ = now.mono + kSweepEvery;
  std::map<ChainId, Seq> settled;
  std::set<TillId> known;  // to the cloud; a history of theirs that it does not know was lost before it got there
  for (const ChainUpTo& s : rows_.settled()) settled[s.chain()] = s.seq, known.insert(s.till);
  known.erase(config_.till);
  for (const OldChain& own : own_chains()) {
    Seq& seq = settled[{config_.till, own.incarnation}];
    if (seq == ChainUpTo::kClosed) seq = own.cloud.seq;
  }
  view.event_groups([&](const std::string& sku, const ChainId& chain, Seq last) {
    const auto it = settled.find(chain);
    const bool lost = it == settled.end() && known.contains(chain.till);
    if (it == settled.end() && !lost) return;
    view.events_of(sku, chain, {}, lost ? last : it->second,
                   [&](const StockEvent& event) { stock_.retract(sku, event); });
  });
}

void TillCore::handle(Now now, PeerId from, Events& m, Actions&) {
  if (!std::exchange(peer_of(from)->pulling_events, false)) return void(++refused_);  // not asked: it hosts no more
  for (const Events::OpEvents& op : m.ops) {
    const ChainId chain = op.chain.id();
    if (chain.till == config_.till) continue;
    Seq& seen = events_seen_[chain];
    if (op.seq <= seen) continue;
    seen = op.seq;
    for (const auto& move : op.moves)
      stock_.add(move.sku, {op.hlc, chain, op.seq, move.is_count, move.milli, move.stocked});
    log_.clock().observe(op.hlc, corrected(now));
  }
  if (!checkpoint_due_) checkpoint_due_ = now.mono + kCheckpointAfter;
}

// Up to where this till's past is complete: said when it is durable that every later op is stamped after it.
void TillCore::pump_progress(Now now) {
  if (now.mono < next_progress_ || progress_ || progress_committing_ || log_.flushing() ||
      upstream(now, nullptr) == nullptr)
    return;
  next_progress_ = now.mono + kProgressEvery;
  progress_ = Progress{WireChain::of(log_.chain()), log_.last().seq, log_.clock().tick(corrected(now)), {}};
  state_dirty_ = true;
}

// A host passes it on; the cloud is who keeps it.
void TillCore::handle(Now now, PeerId from, Progress& m, Actions& out) {
  const Member* till = config_.roster ? config_.roster->find(m.chain.till) : nullptr;
  if (till == nullptr || !m.valid(config_.branch, *PublicKey::from_bytes(till->key)))
    return complain(peer_of(from)->name, "a forged statement of progress", out);
  PeerId up;
  const Peer* above = upstream(now, &up);
  if (above != nullptr && above->role == Role::cloud) out.send(up, m);
}

void TillCore::handle(Now now, PeerId from, Ping& m, Actions& out) {
  out.send(from, Pong{m.nonce, corrected(now), time_known_});
}

void TillCore::handle(Now now, PeerId from, Pong& m, Actions& out) {
  Peer& peer = *peer_of(from);
  if (!peer.ping || peer.ping->first != m.nonce) return;
  const Duration round_trip = now.mono - peer.ping->second;
  peer.ping.reset();
  PeerId up;
  const bool authority = peer.role == Role::cloud || (m.from_cloud && upstream(now, &up) != nullptr && up == from);
  if (!authority) return;
  correct_clock(now, m.wall_ms + to_ms(round_trip) / 2 - now.wall_ms, out);
}

// The offset applies to new ops. Ops recorded while the clock was badly wrong are re-dated by a signed op of their own.
void TillCore::correct_clock(Now now, std::int64_t offset_ms, Actions& out) {
  const std::int64_t error = offset_ms - state_.clock_offset_ms;
  const bool first_time = !time_known_;
  time_known_ = true;
  const auto since = first_unsynced_;
  first_unsynced_.reset();
  if (std::llabs(error) <= kClockToleranceMs) return;
  state_.clock_offset_ms = offset_ms;
  state_dirty_ = true;
  if (std::llabs(error) < kClockWrongMs) return;
  out.warn("this machine's clock is wrong by " + std::to_string(-offset_ms / 1000) +
           " s: sales are dated by the cloud's time; set the clock");
  const bool stamped_wrong = log_.hlc().millis() > now.wall_ms + offset_ms + HlcClock::kMaxAheadMillis;
  if (!first_time || (!since && !stamped_wrong) || log_.last().seq == Seq{}) return;
  Op op;
  op.kind = OpKind::clock_correction;
  op.key = "clock/" + config_.till.text + "/" + std::to_string(log_.chain().incarnation.value) + "/" +
           std::to_string(log_.last().seq.value);
  op.body = pack(Correction{log_.chain().incarnation, since.value_or(log_.last().seq), log_.last().seq, error});
  log_.record_own(std::move(op));
  progress_.reset();
  log_.clock().restart_at(Hlc::at(std::min(log_.hlc().millis() + error, now.wall_ms + offset_ms)));
}

void TillCore::handle(Now now, PeerId, NewRoster& m, Actions& out) {
  if (config_.roster && m.roster == config_.roster->encoded()) return;  // mostly; signatures take their time
  auto roster = Roster::decode(m.roster);
  if (!roster) return void(++refused_);
  adopt_roster(now, *roster, out);
}

void TillCore::handle(Now, PeerId from, Unknown& m, Actions& out) {
  out.info(peer_of(from)->name.text + " sent a message of type " + std::to_string(m.type) +
           " that this release does not know");
}

}  // namespace tillsync
