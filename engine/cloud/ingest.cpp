#include "engine/cloud/ingest.hpp"

#include <algorithm>
#include <set>

#include "conflicts/kinds.hpp"
#include "engine/cloud/notes.hpp"
#include "engine/cloud/op_gate.hpp"
#include "engine/cloud/settling.hpp"
#include "engine/stock/ledger.hpp"
#include "engine/stock/moves.hpp"
#include "engine/till/stock_book.hpp"
#include "engine/validate.hpp"
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

void Ingest::expect(const std::vector<std::pair<Shop, const OpenedPush*>>& pushes) {
  txn_.expect([&] {
    CloudReads out;
    for (const auto& [shop, push] : pushes) {
      out.shops.push_back(shop);
      const TillId& till = push->chain.till;
      for (auto& name :
           {frontier_note(shop), suspected_note(shop), unknown_sales_note(shop), corrections_note(shop, till)})
        out.notes.push_back(name);
      std::set<std::string> skus;
      for (const OpenedOp& each : push->ops) {
        out.keys.emplace_back(shop, each.op.key);
        for (const auto& [sku, move] : stock_moves(each.op.kind, each.op.body)) skus.insert(sku);
      }
      for (const std::string& sku : skus) {
        out.rows.push_back({shop, stock_feed(shop.branch), sku});
        out.notes.push_back(ledger_note(shop, sku));
        out.notes.push_back(prices_note(shop, {"tenant", "product"}, sku));
      }
    }
    return out;
  });
}

ChainPoint Ingest::push(const Shop& shop, const OpenedPush& push) {
  const ChainPoint held = txn_.chain(shop, push.chain).value_or(ChainPoint{});
  const Judged judged = judge(held, push);
  if (judged.verdict == Verdict::fork) {
    raise(shop, forked_history(push.chain, held.seq, now_ms_));
  }
  if (judged.verdict != Verdict::append) return held;
  for (std::size_t i = judged.first_new; i < push.ops.size(); ++i) append(shop, push.ops[i]);
  txn_.put_chain(shop, push.chain, push.end());
  frontier(shop).heard(push.chain.till, push.ops.back().op.hlc, now_ms_);
  return push.end();
}

void Ingest::append(const Shop& shop, const OpenedOp& opened) {
  const Op& op = opened.op;
  CloudOp stored{op.chain, op.seq, op.key, opened.bytes, OpEffect::applied};
  const Hash content = content_hash(op.kind, op.body);
  const auto draft = draft_of(op);
  stored.effect = judge_key(shop, op, content);
  const auto fault = stored.effect == OpEffect::applied ? fault_in(draft, policies_) : std::nullopt;
  if (fault) {
    stored.effect = OpEffect::dead;
    const StockPlace place{op.hlc, op.chain.till, op.chain.incarnation, op.seq};
    ConflictSide side = side_about(op, place);
    side.moves = moves_of(op);
    raise(shop, dead_letter(std::move(side), *fault, now_ms_));
  }
  if (stored.effect == OpEffect::applied) stored.effect = take_effect(shop, op, *draft);
  txn_.put_op(shop, stored, content);
  ++counts_.appended;
  if (stored.effect == OpEffect::applied) look_at(shop, op, draft->document);
  if (draft) apply_stock(shop, op, draft->document.lines, stored.effect == OpEffect::applied);
  books(shop).anomalies.look_at_clock(op, frontier(shop).at());
  if (op.kind == OpKind::clock_correction && stored.effect == OpEffect::applied) redate(shop, op);
  if (op.kind == OpKind::incarnation) {
    raise(shop, new_incarnation(op.chain, now_ms_));
    txn_.rows_after(shop, stock_feed(shop.branch), {}, [&](const Row& any) {
      if (!any.deleted) touched(shop, any.id);  // written again, so that readers hear which history is closed
      return any.deleted;
    });
  }
}

OpEffect Ingest::judge_key(const Shop& shop, const Op& op, const Hash& content) {
  const auto known = mutated(Mutant::forget_duplicates) ? std::nullopt : txn_.find_key(shop, op.key);
  if (!known) return OpEffect::applied;
  if (known->content == content) {
    ++counts_.duplicates;
    return OpEffect::duplicate;
  }
  const StockPlace first{{}, known->chain.till, known->chain.incarnation, known->seq};
  ConflictSide second = side_about(op, {op.hlc, op.chain.till, op.chain.incarnation, op.seq});
  second.moves = moves_of(op);
  raise(shop, duplicate_key(books(shop).conflicts.side_of(first), std::move(second), now_ms_));
  return OpEffect::conflict;
}

// What an op does besides moving stock.
OpEffect Ingest::take_effect(const Shop& shop, const Op& op, const OpDraft& draft) {
  Books& b = books(shop);
  const StockPlace place{corrected(shop, op), op.chain.till, op.chain.incarnation, op.seq};
  if (op.kind == OpKind::edit) edit(shop, op, draft);
  if (op.kind != OpKind::resolution) return OpEffect::applied;
  std::string why;
  Settling settling(b.conflicts, b.rows, [&](const StockPlace& at) { return replay(shop, at); });
  const OpEffect effect = settling.take(op, draft.document, place, why);
  if (effect == OpEffect::dead) raise(shop, dead_letter(side_about(op, place), why, now_ms_));
  return effect;
}

// What does not look right about an op that took effect; its books have it by now.
void Ingest::look_at(const Shop& shop, const Op& op, const Document& document) {
  if (!has_document(op.kind)) return;
  books(shop).anomalies.look_at(op, document, {corrected(shop, op), op.chain.till, op.chain.incarnation, op.seq});
}

void Ingest::edit(const Shop& shop, const Op& op, const OpDraft& draft) {
  const auto edit = unpack<RowEdit>(draft.custom_body);
  Books& b = books(shop);
  const StockPlace place{op.hlc, op.chain.till, op.chain.incarnation, op.seq};
  const FeedKind feed = b.rows.feed_of(edit->kind, edit->id);
  txn_.lock_feed(shop, feed.feed);
  const Merged merged = merge(*edit, b.rows.current(feed, edit->id), policies_);
  for (const FieldConflict& met : merged.conflicts) {
    const RowField where{feed.feed, edit->kind, edit->id, met.field};
    ConflictSide side{place, op.key, op.cashier, {}, 0, 0, {}, Binary(met.was), Binary(met.mine)};
    side.what = met.field + " " + field_words(where, met.mine);
    if (met.field.empty()) side.what = edit->deletes ? "deleted it" : "edited it", side.value = Binary(op.body);
    raise(shop, edits_met(where, b.rows.side_there(where), std::move(side), met.why, now_ms_));
  }
  const RowAuthor author{place, op.key, op.cashier, {}};
  if (merged.changed) b.rows.put({feed, edit->id, merged.deleted, join_fields(merged.fields)}, author);
}

// An op that was refused, after the rule has been changed.
std::optional<std::string> Ingest::replay(const Shop& shop, const StockPlace& place) {
  const auto op = books(shop).conflicts.op_at(place);
  if (!op) return "the cloud does not have it any more";
  const auto draft = draft_of(*op);
  const Hash content = content_hash(op->kind, op->body);
  if (auto fault = fault_in(draft, policies_)) return fault;
  if (judge_key(shop, *op, content) != OpEffect::applied) return "its key has been used since";
  CloudOp stored{op->chain, op->seq, op->key, encode(*op), take_effect(shop, *op, *draft)};
  txn_.put_op(shop, stored, content);
  look_at(shop, *op, draft->document);
  apply_stock(shop, *op, draft->document.lines, stored.effect == OpEffect::applied);
  return std::nullopt;
}

void Ingest::progress(const Shop& shop, const ChainId& chain, Seq last, Hlc hlc) {
  if (txn_.chain(shop, chain).value_or(ChainPoint{}).seq >= last) frontier(shop).heard(chain.till, hlc, now_ms_);
}

Ingest::Touched& Ingest::touched(const Shop& shop, const std::string& sku) {
  const auto [it, fresh] = stock_.try_emplace({shop, sku});
  const auto stored = fresh ? txn_.row(shop, stock_feed(shop.branch), sku) : std::nullopt;
  if (stored) it->second.row = unpack<StockRow>(stored->fields).value_or(StockRow{});
  return it->second;
}

// A row contains an op that has no effect, and the place of one that was re-issued, as well: readers that counted them
// already learn that they are settled.
void Ingest::apply_stock(const Shop& shop, const Op& op, const std::vector<Line>& lines, bool has_effect) {
  for (const auto& [sku, move] : stock_moves(op.kind, lines)) {
    Touched& product = touched(shop, sku);
    mark_contained(product.row, op.chain, op.seq);
    if (op.origin) mark_contained(product.row, {op.chain.till, op.origin->incarnation}, op.origin->seq);
    if (!has_effect) continue;
    const StockEvent event{corrected(shop, op), op.chain, op.seq, move.is_count, move.milli, move.stocked};
    txn_.put_event(shop, sku, event);
    product.fresh.push_back(event);
    product.changed_at(event.place());
  }
}

std::vector<Correction>& Ingest::corrections(const Shop& shop, const TillId& till) {
  const auto [it, fresh] = corrections_.try_emplace({shop, till});
  const auto note = fresh ? txn_.note(corrections_note(shop, till)) : std::nullopt;
  if (note) it->second = unpack<Packed<Correction>>(*note).value_or(Packed<Correction>{}).all;
  return it->second;
}

// Where an op belongs, whatever its till's clock said when it was recorded.
Hlc Ingest::corrected(const Shop& shop, const Op& op) {
  Hlc hlc = op.hlc;
  for (const Correction& c : corrections(shop, op.chain.till)) {
    if (c.covers(op.chain, op.seq)) hlc = c.applied(hlc);
  }
  return hlc;
}

// Ops that were recorded while a till's clock was wrong move to where they belong; those of an older history that
// arrive later go there at once.
void Ingest::redate(const Shop& shop, const Op& op) {
  const auto correction = unpack<Correction>(op.body);
  const ChainId chain{op.chain.till, correction ? correction->incarnation : Incarnation{}};
  if (!correction || (chain == op.chain && correction->to >= op.seq)) return;
  txn_.ops(shop, chain, correction->from, [&](const CloudOp& stored) {
    auto moving = stored.effect == OpEffect::applied && correction->covers(chain, stored.seq) ? decode_op(stored.bytes)
                                                                                              : std::nullopt;
    if (!moving) return stored.seq < correction->to;
    const Hlc before = corrected(shop, *moving);
    for (const auto& [sku, move] : stock_moves(moving->kind, moving->body)) {
      Touched& product = touched(shop, sku);
      StockEvent event{before, chain, moving->seq, move.is_count, move.milli, move.stocked};
      txn_.drop_event(shop, sku, event.place());
      product.changed_at(event.place());
      std::erase(product.fresh, event);
      event.hlc = correction->applied(before);
      txn_.put_event(shop, sku, event);
      product.changed_at(event.place());
      product.fresh.push_back(event);
    }
    return stored.seq < correction->to;
  });
  auto& all = corrections(shop, op.chain.till);
  all.push_back(*correction);
  txn_.put_note(corrections_note(shop, op.chain.till), pack(Packed<Correction>{all}));
}

void Ingest::load_ledgers() {
  txn_.expect([&] {
    CloudReads out;
    for (const auto& [key, product] : stock_) out.notes.push_back(ledger_note(key.first, key.second));
    return out;
  });
  for (auto& [key, product] : stock_) {
    const auto note = product.first ? txn_.note(ledger_note(key.first, key.second)) : std::nullopt;
    if (note) product.ledger = unpack<Ledger>(*note).value_or(Ledger{});
  }
  txn_.expect([&] {
    CloudReads out;
    for (const auto& [key, product] : stock_) {
      const auto from = product.first ? product.ledger.folds_from(*product.first) : std::nullopt;
      if (from) out.events.push_back({key.first, key.second, *from});
    }
    return out;
  });
}

void Ingest::fold(const Shop& shop, const std::string& sku, Touched& product) {
  if (!product.first) return;
  Ledger& ledger = product.ledger;
  std::sort(product.fresh.begin(), product.fresh.end());
  const auto change = ledger.add(product.fresh, *product.first,
                                 [&](const StockPlace& after) { return txn_.events_after(shop, sku, after); });
  txn_.put_note(ledger_note(shop, sku), pack(ledger));
  product.row.milli = ledger.milli();
  product.row.last_count = ledger.last_count();
  product.row.kept = ledger.kept();
  books(shop).conflicts.compare(sku, change);
  const auto& count = ledger.last_count();
  const bool about_count = count && std::ranges::any_of(product.fresh, [&](const StockEvent& e) {
                             return std::abs(e.hlc.millis() - count->hlc.millis()) <= Anomalies::kClockErrorMs;
                           });
  if (about_count) books(shop).anomalies.look_at_count(sku, *count);
}

Frontier& Ingest::frontier(const Shop& shop) {
  const auto [it, fresh] = frontiers_.try_emplace(shop);
  const auto note = fresh ? txn_.note(frontier_note(shop)) : std::nullopt;
  if (note) it->second = unpack<Frontier>(*note).value_or(Frontier{});
  return it->second;
}

Ingest::Books& Ingest::books(const Shop& shop) {
  return books_.try_emplace(shop, txn_, shop, now_ms_, policies_).first->second;
}

bool Ingest::raise(const Shop& shop, Conflict conflict) { return books(shop).conflicts.raise(std::move(conflict)); }

IngestCounts Ingest::finish(const std::map<Shop, std::vector<TillId>>& tills) {
  load_ledgers();
  for (auto& [key, product] : stock_) {
    fold(key.first, key.second, product);
    txn_.put_row(key.first, {stock_feed(key.first.branch), key.second, false, pack(product.row)});
  }
  for (auto& [shop, frontier] : frontiers_) {
    const auto known = tills.find(shop);
    if (known != tills.end() && frontier.advance(known->second, now_ms_))
      books(shop).conflicts.confirm(frontier.at(), frontier.left_out(known->second, now_ms_));
    txn_.put_note(frontier_note(shop), pack(frontier));
  }
  for (auto& [shop, books] : books_) {
    books.conflicts.write();
    books.anomalies.write();
    counts_.conflicts += books.conflicts.raised();
  }
  return counts_;
}

}  // namespace tillsync
