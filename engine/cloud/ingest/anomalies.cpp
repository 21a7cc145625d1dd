#include "engine/cloud/ingest/anomalies.hpp"

#include <map>

#include "conflicts/choices.hpp"
#include "conflicts/kinds.hpp"
#include "engine/cloud/ingest/meta_names.hpp"
#include "engine/ledger/moves.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/op_codec.hpp"

namespace tillsync {

namespace {

constexpr std::size_t kMostSides = 8;

std::map<std::string, std::int64_t> quantities(const Document& document) {
  std::map<std::string, std::int64_t> by_sku;
  for (const Line& line : document.lines) by_sku[line.sku] += line.quantity.milli;
  return by_sku;
}

}  // namespace

std::set<std::string>& Anomalies::waiting() {
  if (!waiting_) {
    const auto meta = txn_.meta(unknown_sales_meta(branch_));
    const auto stored = meta ? unpack<std::vector<std::string>>(*meta) : std::nullopt;
    waiting_ = stored ? std::set<std::string>(stored->begin(), stored->end()) : std::set<std::string>{};
  }
  return *waiting_;
}

void Anomalies::look_at(const Op& op, const Document& document, const StockPlace& place) {
  if (op.kind == OpKind::sale || op.kind == OpKind::resale) look_at_price(op, document, place);
  if (op.kind == OpKind::refund && !document.reference.empty()) look_at_refund(document, place);
  if (waiting().contains(op.key)) {
    waiting().erase(op.key);
    waiting_changed_ = true;
    weigh(op.key);
  }
}

void Anomalies::look_at_refund(const Document& document, const StockPlace& place) {
  const std::string meta = refunds_meta(branch_, document.reference);
  const auto stored = txn_.meta(meta);
  Packed<StockPlace> refunds =
      stored ? unpack<Packed<StockPlace>>(*stored).value_or(Packed<StockPlace>{}) : Packed<StockPlace>{};
  refunds.all.push_back(place);
  txn_.put_meta(meta, pack(refunds));
  weigh(document.reference);
}

// All refunds of one sale against it.
void Anomalies::weigh(const std::string& sale) {
  const auto meta = txn_.meta(refunds_meta(branch_, sale));
  const auto refunds = meta ? unpack<Packed<StockPlace>>(*meta).value_or(Packed<StockPlace>{}) : Packed<StockPlace>{};
  const auto known = txn_.find_key(branch_, sale);
  if (!known) {
    for (const StockPlace& place : refunds.all) book_.raise(unknown_sale(sale, book_.side_of(place), now_ms_));
    waiting_changed_ = waiting().insert(sale).second || waiting_changed_;
    return;
  }
  std::map<std::string, std::int64_t> sold, back;
  const auto read = [&](const StockPlace& at, std::map<std::string, std::int64_t>& into) {
    const auto op = book_.op_at(at);
    const auto document = op ? decode_document(op->body) : std::nullopt;
    if (!document) return;
    for (const auto& [sku, milli] : quantities(*document)) into[sku] += milli;
  };
  read({{}, known->chain.till, known->chain.incarnation, known->seq}, sold);
  for (const StockPlace& place : refunds.all) {
    read(place, back);
    book_.close("unknown_sale/" + words(place), "the sale has arrived");
  }
  for (const auto& [sku, milli] : back) {
    if (milli <= sold[sku]) continue;
    std::vector<ConflictSide> sides;
    for (const StockPlace& place : refunds.all) {
      ConflictSide side = book_.side_of(place, sku);
      if (side.milli != 0 && sides.size() < kMostSides) sides.push_back(std::move(side));
    }
    if (!sides.empty()) {  // what is too much is what "nothing came back" takes out again
      sides.front().moves = {{sku, milli - sold[sku], sides.front().money * 1000 / sides.front().milli}};
      book_.raise_or_refresh(refund_above_sale(sale, sku, sold[sku], milli, std::move(sides), now_ms_));
    }
  }
}

void Anomalies::look_at_price(const Op& op, const Document& document, const StockPlace& place) {
  for (const Line& line : document.lines) {
    const auto replaced = rows_.replaced(line.sku, line.unit_price, place.hlc.millis());
    if (!replaced) continue;
    ConflictSide side = side_about(op, place, line.sku);
    Conflict found = stale_price(line.sku, line.unit_price, replaced->price, replaced->since_ms, side, now_ms_);
    auto known = book_.find(found.id);
    if (!known) {
      book_.raise(std::move(found));
      continue;
    }
    known->money += found.money;
    if (known->sides.size() < kMostSides) known->sides.push_back(std::move(side));
    book_.put(*known);
  }
}

void Anomalies::look_at_clock(const Op& op, Hlc settled) {
  if (op.kind == OpKind::clock_correction) {
    book_.close("clock/" + words(StockPlace{{}, op.chain.till, op.chain.incarnation, {}}),
                "the till has said how wrong its clock was");
    return;
  }
  const bool ahead = op.hlc.millis() > now_ms_ + kAheadMs, behind = op.hlc <= settled && !op.origin;
  if ((!ahead && !behind) || !clocks_seen_.insert(op.chain).second) return;
  const StockPlace place{op.hlc, op.chain.till, op.chain.incarnation, op.seq};
  book_.raise(clock_suspect(op.chain, place,
                            ahead ? "it is more than five minutes ahead of the cloud's"
                                  : "what it recorded came after the branch had been settled up to there",
                            now_ms_));
}

void Anomalies::look_at_count(const std::string& sku, const StockPlace& count) {
  const auto from = Hlc::at(count.hlc.millis() - RowWriter::kClockErrorMs),
             to = Hlc::at(count.hlc.millis() + RowWriter::kClockErrorMs);
  std::vector<ConflictSide> sides;
  for (const StockEvent& e : txn_.events_after(branch_, sku, {from, {}, {}, {}})) {
    if (e.hlc > to || sides.size() >= kMostSides) break;
    if (e.is_count || e.milli >= 0 || e.chain.till == count.till) continue;
    sides.push_back(book_.side_of(e.place(), sku));
    sides.back().moves = {{sku, e.place() < count ? e.milli : -e.milli, 0}};
  }
  if (!sides.empty()) book_.raise_or_refresh(count_with_sales(sku, count, std::move(sides), now_ms_));
}

void Anomalies::write() {
  if (!waiting_changed_) return;
  txn_.put_meta(unknown_sales_meta(branch_), pack(std::vector<std::string>(waiting_->begin(), waiting_->end())));
}

}  // namespace tillsync
