#include "engine/cloud/ingest.hpp"

#include <algorithm>

#include "conflicts/kinds.hpp"
#include "engine/stock/moves.hpp"
#include "engine/till/stock_book.hpp"
#include "storage/mutants.hpp"
#include "storage/op_codec.hpp"
#include "storage/pack.hpp"

namespace tillsync {

namespace {

void mark_contained(StockRow& row, const ChainId& chain, Seq seq) {
  const auto at =
      std::lower_bound(row.contained.begin(), row.contained.end(), chain, [](const auto& c, const ChainId& id) {
        return std::tie(c.till, c.incarnation) < std::tie(id.till, id.incarnation);
      });
  if (at != row.contained.end() && at->till == chain.till && at->incarnation == chain.incarnation) {
    at->seq = std::max(at->seq, seq);
  } else {
    row.contained.insert(at, {chain.till, chain.incarnation, seq});
  }
}

}  // namespace

ChainPoint Ingest::push(const Shop& shop, const OpenedPush& push) {
  const ChainPoint held = txn_.chain(shop, push.chain).value_or(ChainPoint{});
  const Judged judged = judge(held, push);
  if (judged.verdict == Verdict::fork) {
    raise(shop, forked_history(push.chain, held.seq, now_ms_));
  }
  if (judged.verdict != Verdict::append) return held;
  for (std::size_t i = judged.first_new; i < push.ops.size(); ++i) append(shop, push.ops[i]);
  txn_.put_chain(shop, push.chain, push.end());
  return push.end();
}

void Ingest::append(const Shop& shop, const OpenedOp& opened) {
  const Op& op = opened.op;
  CloudOp stored{op.chain, op.seq, op.key, opened.bytes, OpEffect::applied};
  const Hash content = content_hash(op.kind, op.body);
  const auto known = mutated(Mutant::forget_duplicates) ? std::nullopt : txn_.find_key(shop, op.key);
  if (known) {
    stored.effect = known->content == content ? OpEffect::duplicate : OpEffect::conflict;
    if (stored.effect == OpEffect::duplicate) {
      ++counts_.duplicates;
    } else {
      raise(shop, duplicate_key(op.key, known->chain, known->seq, op.chain, op.seq, now_ms_));
    }
  }
  txn_.put_op(shop, stored, content);
  ++counts_.appended;
  apply_stock(shop, op, stored.effect == OpEffect::applied);
  if (op.kind == OpKind::incarnation) {
    raise(shop, new_incarnation(op.chain, now_ms_));
    txn_.rows_after(shop, stock_feed(shop.branch), {}, [&](const Row& any) {
      if (!any.deleted) stock_row(shop, any.id);  // written again, so that readers hear which history is closed
      return any.deleted;
    });
  }
}

StockRow& Ingest::stock_row(const Shop& shop, const std::string& sku) {
  const auto key = std::pair(shop, sku);
  auto it = stock_.find(key);
  if (it == stock_.end()) {
    const auto stored = txn_.row(shop, stock_feed(shop.branch), sku);
    it = stock_.emplace(key, stored ? unpack<StockRow>(stored->fields).value_or(StockRow{}) : StockRow{}).first;
  }
  return it->second;
}

// A row contains an op that has no effect, and the place of one that was re-issued, as well: readers that counted them
// already learn that they are settled.
void Ingest::apply_stock(const Shop& shop, const Op& op, bool has_effect) {
  for (const auto& [sku, move] : stock_moves(op.kind, op.body)) {
    StockRow& row = stock_row(shop, sku);
    mark_contained(row, op.chain, op.seq);
    if (op.origin) mark_contained(row, {op.chain.till, op.origin->incarnation}, op.origin->seq);
    if (!has_effect) continue;
    const StockEvent event{op.hlc, op.chain, op.seq, move.is_count, move.milli};
    txn_.put_event(shop, sku, event);
    if (row.counted(event) && !mutated(Mutant::ignore_count)) continue;
    if (move.is_count) {
      row.last_count = event.place();
      row.milli = fold(move.milli, txn_.events_after(shop, sku, event.place()));
    } else {
      row.milli = fold(row.milli, {event});
    }
  }
}

void Ingest::raise(const Shop& shop, CloudConflict conflict) {
  ++counts_.conflicts;
  if (mutated(Mutant::drop_conflict)) return;
  txn_.put_conflict(shop, conflict);
}

IngestCounts Ingest::finish() {
  for (const auto& [key, row] : stock_)
    txn_.put_row(key.first, {stock_feed(key.first.branch), key.second, false, pack(row)});
  counts_.rows_changed = !stock_.empty();
  return counts_;
}

}  // namespace tillsync
