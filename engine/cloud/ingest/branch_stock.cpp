#include "engine/cloud/ingest/branch_stock.hpp"

#include <algorithm>

#include "engine/cloud/ingest/meta_names.hpp"
#include "engine/ledger/moves.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/feeds.hpp"
#include "storage/model/op_codec.hpp"

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

ProductStock& BranchStock::product(const std::string& sku) {
  if (const auto known = by_sku_.find(sku); known != by_sku_.end()) return *known->second;
  const auto it = products_.try_emplace(sku).first;
  by_sku_.emplace(it->first, &it->second);
  const auto stored = txn_.row(branch_, stock_feed(branch_.branch), sku);
  if (stored) it->second.row = unpack<StockRow>(stored->fields).value_or(StockRow{});
  return it->second;
}

// A row contains an op that has no effect, and the place of one that was re-issued, as well: readers that counted them
// already learn that they are settled.
void BranchStock::apply(const Op& op, const StockMoves& moves, bool has_effect) {
  const Hlc hlc = corrected(op);
  for (const auto& [sku, move] : moves) {
    ProductStock& p = product(sku);
    mark_contained(p.row, op.chain, op.seq);
    if (op.origin) mark_contained(p.row, {op.chain.till, op.origin->incarnation}, op.origin->seq);
    if (!has_effect) continue;
    p.fresh.push_back({hlc, op.chain, op.seq, move.is_count, move.milli, move.stocked});
    p.changed_at(p.fresh.back());
  }
}

std::vector<Correction>& BranchStock::corrections(const TillId& till) {
  const auto [it, fresh] = corrections_.try_emplace(till);
  const auto meta = fresh ? txn_.meta(corrections_meta(branch_, till)) : std::nullopt;
  if (meta) it->second = unpack<Packed<Correction>>(*meta).value_or(Packed<Correction>{}).all;
  return it->second;
}

Hlc BranchStock::corrected(const Op& op) {
  Hlc hlc = op.hlc;
  for (const Correction& c : corrections(op.chain.till)) {
    if (c.covers(op.chain, op.seq)) hlc = c.applied(hlc);
  }
  return hlc;
}

void BranchStock::move(const Op& op, const Correction& correction) {
  const Hlc before = corrected(op);
  for (const auto& [sku, move] : stock_moves(op.kind, op.body)) {
    ProductStock& p = product(sku);
    StockEvent event{before, op.chain, op.seq, move.is_count, move.milli, move.stocked};
    if (std::erase(p.fresh, event) == 0) txn_.drop_event(branch_, sku, event.place());
    p.changed_at(event);
    event.hlc = correction.applied(before);
    p.changed_at(event);
    p.fresh.push_back(event);
  }
}

// Ops of an older history that arrive later go to their places at once.
void BranchStock::redate(const Op& op) {
  const auto correction = unpack<Correction>(op.body);
  const ChainId chain{op.chain.till, correction ? correction->incarnation : Incarnation{}};
  if (!correction || (chain == op.chain && correction->to >= op.seq)) return;
  txn_.ops(branch_, chain, correction->from, [&](const CloudOp& stored) {
    const bool moves = stored.effect == OpEffect::applied && correction->covers(chain, stored.seq);
    const auto moving = moves ? decode_op(stored.bytes) : std::nullopt;
    if (moving) move(*moving, *correction);
    return stored.seq < correction->to;
  });
  auto& all = corrections(op.chain.till);
  all.push_back(*correction);
  txn_.put_meta(corrections_meta(branch_, op.chain.till), pack(Packed<Correction>{all}));
}

void BranchStock::write_any() {
  txn_.rows_after(branch_, stock_feed(branch_.branch), {}, [&](const Row& any) {
    if (!any.deleted) product(any.id);
    return any.deleted;
  });
}

WrittenEvents BranchStock::write_events() && {
  for (auto& [sku, p] : products_) {
    std::sort(p.fresh.begin(), p.fresh.end());
    if (!p.fresh.empty()) txn_.put_events(branch_, sku, p.fresh);
  }
  return WrittenEvents(txn_, branch_, std::move(products_));
}

void WrittenEvents::name_reads(CloudReads& reads) const {
  for (const auto& [sku, p] : products_) reads.metas.push_back(ledger_meta(branch_, sku));
}

ReadLedgers WrittenEvents::read_ledgers() && {
  for (auto& [sku, p] : products_) {
    const auto meta = p.first ? txn_.meta(ledger_meta(branch_, sku)) : std::nullopt;
    if (meta) p.ledger = unpack<Ledger>(*meta).value_or(Ledger{});
  }
  return ReadLedgers(txn_, branch_, std::move(products_));
}

void ReadLedgers::name_reads(CloudReads& reads) const {
  for (const auto& [sku, p] : products_) {
    const auto from = p.first ? p.ledger.folds_from(*p.first) : std::nullopt;
    if (from) reads.events.push_back({branch_, sku, *from});
  }
}

void ReadLedgers::fold(ConflictBook& conflicts, Anomalies& anomalies) && {
  for (auto& [sku, p] : products_) {
    if (p.first) fold(sku, p, conflicts, anomalies);
    txn_.put_row(branch_, {stock_feed(branch_.branch), sku, false, pack(p.row)});
  }
}

void ReadLedgers::fold(const std::string& sku, ProductStock& p, ConflictBook& conflicts, Anomalies& anomalies) {
  const auto change =
      p.ledger.add(p.fresh, *p.first, [&](const StockPlace& after) { return txn_.events_after(branch_, sku, after); });
  txn_.put_meta(ledger_meta(branch_, sku), pack(p.ledger));
  p.row.milli = p.ledger.milli();
  p.row.last_count = p.ledger.last_count();
  p.row.kept = p.ledger.kept();
  conflicts.compare(sku, change);
  const auto& count = p.ledger.last_count();
  const bool about_count = count && std::ranges::any_of(p.fresh, [&](const StockEvent& e) {
                             return std::abs(e.hlc.millis() - count->hlc.millis()) <= RowWriter::kClockErrorMs;
                           });
  if (about_count) anomalies.look_at_count(sku, *count);
}

}  // namespace tillsync
