#include "engine/cloud/ingest.hpp"

#include <algorithm>

#include "engine/stock/moves.hpp"
#include "engine/till/stock_book.hpp"
#include "storage/op_codec.hpp"
#include "storage/pack.hpp"

namespace tillsync {

namespace {

std::string place(const ChainId& chain, Seq seq) {
  return chain.till.text + "/" + std::to_string(chain.incarnation.value) + "/" + std::to_string(seq.value);
}

void mark_contained(StockRow& row, const ChainId& chain, Seq seq) {
  const auto at = std::lower_bound(row.contained.begin(), row.contained.end(), chain, [](const auto& c, const ChainId& id) {
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
    raise(shop, {"fork/" + place(push.chain, held.seq), "forked_history",
                 "till " + push.chain.till.text + " pushed a history that differs from the one held after op " +
                     std::to_string(held.seq.value) + ": a restored backup or a cloned disk",
                 now_ms_, true});
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
  if (const auto known = txn_.find_key(shop, op.key)) {
    stored.effect = known->content == content ? OpEffect::duplicate : OpEffect::conflict;
    if (stored.effect == OpEffect::duplicate) {
      ++counts_.duplicates;
    } else {
      raise(shop, {"key/" + place(op.chain, op.seq), "duplicate_key",
                   "the key '" + op.key + "' names two different ops: " + place(known->chain, known->seq) + " and " +
                       place(op.chain, op.seq) + "; the second has no effect until someone decides",
                   now_ms_, true});
    }
  }
  txn_.put_op(shop, stored, content);
  ++counts_.appended;
  if (stored.effect == OpEffect::applied) apply_stock(shop, op);
  if (op.kind == OpKind::incarnation) {
    raise(shop, {"fork/" + place(op.chain, {}), "forked_history",
                 "till " + op.chain.till.text + " went on under a new history after a restored backup, a cloned disk or a "
                 "damaged journal; both histories are kept",
                 now_ms_, true});
  }
}

void Ingest::apply_stock(const Shop& shop, const Op& op) {
  for (const auto& [sku, move] : stock_moves(op.kind, op.body)) {
    const auto key = std::pair(shop, sku);
    auto it = stock_.find(key);
    if (it == stock_.end()) {
      const auto stored = txn_.row(shop, stock_feed(shop.branch), sku);
      it = stock_.emplace(key, stored ? unpack<StockRow>(stored->fields).value_or(StockRow{}) : StockRow{}).first;
    }
    StockRow& row = it->second;
    txn_.put_event(shop, sku, {op.hlc, op.chain, op.seq, move.is_count, move.milli});
    mark_contained(row, op.chain, op.seq);
    if (!move.is_count) {
      if (op.hlc >= row.last_count) row.milli = fold(row.milli, {{op.hlc, op.chain, op.seq, false, move.milli}});
    } else if (op.hlc > row.last_count) {
      row.last_count = op.hlc;
      row.milli = fold(move.milli, txn_.events_after(shop, sku, op.hlc));
    }
  }
}

void Ingest::raise(const Shop& shop, CloudConflict conflict) {
  ++counts_.conflicts;
  txn_.put_conflict(shop, conflict);
}

IngestCounts Ingest::finish() {
  for (const auto& [key, row] : stock_) txn_.put_row(key.first, {stock_feed(key.first.branch), key.second, false, pack(row)});
  counts_.rows_changed = !stock_.empty();
  return counts_;
}

}  // namespace tillsync
