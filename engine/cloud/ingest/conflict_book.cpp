#include "engine/cloud/ingest/conflict_book.hpp"

#include <algorithm>

#include "conflicts/kinds.hpp"
#include "engine/cloud/ingest/meta_names.hpp"
#include "engine/cloud/ingest/tally.hpp"
#include "engine/ledger/moves.hpp"
#include "storage/base/mutants.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/op_codec.hpp"

namespace tillsync {

std::vector<Conflict> ConflictBook::all(CloudTxn& txn, const BranchKey& branch) {
  std::vector<Conflict> out;
  for (const FeedKind& feed : {conflict_feed(branch.branch), FeedKind{"tenant", kConflictKind}}) {
    txn.rows_after(branch, feed, {}, [&](const Row& row) {
      if (auto conflict = unpack<Conflict>(row.fields); conflict && !row.deleted) out.push_back(std::move(*conflict));
      return true;
    });
  }
  return out;
}

std::optional<Conflict> ConflictBook::find(const std::string& id) {
  const FeedKind feed = conflict_feed(branch_.branch, id);
  txn_.lock_feed(branch_, feed.feed);  // what is found is changed next
  const auto row = txn_.row(branch_, feed, id);
  return row && !row->deleted ? unpack<Conflict>(row->fields) : std::nullopt;
}

std::vector<ConflictBook::Suspect>& ConflictBook::suspects() {
  if (!suspects_) {
    const auto meta = txn_.meta(suspected_meta(branch_));
    suspects_ = meta ? unpack<Packed<Suspect>>(*meta).value_or(Packed<Suspect>{}).all : std::vector<Suspect>{};
  }
  return *suspects_;
}

void ConflictBook::put(const Conflict& conflict) {
  if (mutated(Mutant::drop_conflict)) return;
  const FeedKind feed = conflict_feed(branch_.branch, conflict.id);
  const auto row = txn_.row(branch_, feed, conflict.id);
  const auto before = row && !row->deleted ? unpack<Conflict>(row->fields) : std::nullopt;
  auto& changed = waiting_changed_[feed.feed == "tenant" ? 1 : 0];
  if (before && before->waits()) --changed[before->kind];
  if (conflict.waits()) ++changed[conflict.kind];
  txn_.put_row(branch_, {feed, conflict.id, false, pack(conflict)});
}

bool ConflictBook::raise(Conflict conflict) {
  if (auto known = find(conflict.id)) {
    if (!known->kind.empty()) return false;
    conflict.history = std::move(known->history);  // settled before the cloud heard of it
    conflict.state = known->state, conflict.settlement = std::move(known->settlement);
    conflict.branch = branch_.branch.text;
    put(conflict);
    return false;
  }
  ++raised_;
  if (conflict.at_ms == 0) conflict.at_ms = now_ms_;
  conflict.branch = branch_.branch.text;
  const bool suspected = conflict.state == ConflictState::suspected;
  if (!suspected || policies_.anomaly(conflict.kind).rule == AnomalyRule::log) decide(conflict);
  if (conflict.state == ConflictState::suspected) suspect(conflict);
  put(conflict);
  return true;
}

void ConflictBook::raise_or_refresh(Conflict conflict) {
  auto known = find(conflict.id);
  known && known->state != ConflictState::resolved ? refresh(*known, conflict) : void(raise(std::move(conflict)));
}

void ConflictBook::add_step(Conflict& conflict, const std::string& who, const std::string& what,
                            const std::string& reason) {
  conflict.history.push_back({now_ms_, who, what, reason});
}

void ConflictBook::decide(Conflict& conflict) {
  const auto decided = policies_.anomaly(conflict.kind);
  if (conflict.rule.empty()) conflict.rule = decided.why;
  if (decided.rule == AnomalyRule::ask) return;
  conflict.state = ConflictState::closed;
  add_step(conflict, "",
           decided.rule == AnomalyRule::log ? "noted, as a policy says" : "owed to the customer, as a policy says",
           decided.why);
}

void ConflictBook::close(const std::string& id, const std::string& why) {
  auto conflict = find(id);
  if (!conflict || !conflict->waits()) return;
  conflict->state = ConflictState::closed;
  add_step(*conflict, "", "closed by itself: " + why);
  settled(*conflict);
}

void ConflictBook::settled(const Conflict& conflict) {
  if (std::erase_if(suspects(), [&](const Suspect& s) { return s.id == conflict.id; }) > 0) suspects_changed_ = true;
  put(conflict);
}

void ConflictBook::suspect(const Conflict& conflict) {
  if (!conflict.place) return;
  suspects().push_back({*conflict.place, conflict.id, conflict.subject});
  suspects_changed_ = true;
}

std::optional<Op> ConflictBook::op_at(const StockPlace& place) {
  std::optional<Op> op;
  txn_.ops(branch_, {place.till, place.incarnation}, place.seq, [&](const CloudOp& stored) {
    if (stored.seq == place.seq) op = decode_op(stored.bytes);
    return false;
  });
  return op;
}

ConflictSide ConflictBook::side_of(const StockPlace& place, const std::optional<std::string>& sku) {
  const auto op = op_at(place);
  ConflictSide side;
  side.place = place;
  if (!op) return side;
  side = side_about(*op, place, sku);
  if (place.hlc == Hlc{}) side.place.hlc = op->hlc;
  if (!sku) side.moves = moves_of(*op);
  return side;
}

Conflict ConflictBook::dip_of(const std::string& sku, const Dip& dip) {
  std::vector<ConflictSide> sides;
  for (const StockPlace& place : dip.sides) sides.push_back(side_of(place, sku));
  return below_zero(sku, dip.from, dip.lowest, std::move(sides), now_ms_);
}

void ConflictBook::compare(const std::string& sku, const Ledger::Change& change) {
  std::vector<std::string> there;
  for (const Dip& dip : change.dips) {
    Conflict now = dip_of(sku, dip);
    there.push_back(now.id);
    auto known = find(now.id);
    if (!known || known->kind.empty()) {
      raise(std::move(now));
    } else if (known->state == ConflictState::closed && known->rule.empty()) {  // no policy closed it
      now.history = std::move(known->history);
      now.branch = branch_.branch.text;
      add_step(now, "", "suspected again: what explained it was explained otherwise");
      suspect(now);
      put(now);
    } else if (known->waits()) {
      refresh(*known, now);
    }
  }
  std::erase_if(suspects(), [&](const Suspect& s) {
    const bool gone = s.subject == sku && s.id.starts_with("below_zero/") && !(s.place < change.since) &&
                      std::ranges::count(there, s.id) == 0;
    auto conflict = gone ? find(s.id) : std::nullopt;
    if (!conflict) return false;
    conflict->state = ConflictState::closed;
    add_step(*conflict, "", "closed by itself: ops that arrived later explain it");
    put(*conflict);
    return suspects_changed_ = true;
  });
}

// More was sold meanwhile, or the op where it began was re-dated.
void ConflictBook::refresh(Conflict& known, const Conflict& now) {
  if (known.summary == now.summary && known.sides.size() == now.sides.size() && known.place == now.place) return;
  for (Suspect& s : suspects()) {
    if (s.id == known.id) s.place = *now.place, suspects_changed_ = true;
  }
  known.summary = now.summary, known.sides = now.sides, known.money = now.money, known.place = now.place;
  put(known);
}

void ConflictBook::confirm(Hlc frontier, const std::vector<TillId>& without) {
  std::string how = "confirmed: no till has anything earlier to send";
  for (const TillId& till : without) how += (till == without.front() ? ", without " : ", ") + till.text;
  if (!without.empty()) how += " (silent for a week)";
  std::erase_if(suspects(), [&](const Suspect& s) {
    if (s.place.hlc > frontier) return false;
    if (auto conflict = find(s.id)) {
      conflict->state = ConflictState::open;
      add_step(*conflict, "", how);
      decide(*conflict);
      put(*conflict);
    }
    return suspects_changed_ = true;
  });
}

ConflictBook::Sums ConflictBook::write() {
  if (suspects_changed_) txn_.put_meta(suspected_meta(branch_), pack(Packed<Suspect>{*suspects_}));
  if (!waiting_changed_[1].empty()) {
    const BranchKey shared{branch_.tenant, {}};  // its feed is locked since the conflict was found
    Tally tally = tally_of(txn_, shared);
    tally.count(waiting_changed_[1]);
    txn_.put_meta(tally_meta(shared), pack(tally));
  }
  return {raised_, waiting_changed_[0]};
}

}  // namespace tillsync
