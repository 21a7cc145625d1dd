// Every op that comes to the cloud, against the reference models: in order, in effect once, the stock as their sum.
#include <algorithm>

#include "conflicts/choices.hpp"
#include "engine/ledger/moves.hpp"
#include "sim/rules/rules.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/feeds.hpp"
#include "storage/model/op_codec.hpp"

namespace tillsync::sim {

void Rules::on_cloud_job() {
  ++cloud_jobs_;
  fleet_->cloud().read([&](CloudTxn& txn) {
    for (int b = 0; b < fleet_->branches(); ++b) read_new_ops(txn, b);
  });
}

void Rules::read_new_ops(CloudTxn& txn, int branch) {
  const BranchKey shop = fleet_->shop(branch);
  std::vector<std::pair<Op, OpEffect>> fresh;
  for (const auto& [id, point] : txn.chains(shop)) {
    Seen& seen = books_[branch].chains[id];
    if (point.seq < seen.seq) breaks("order: the cloud forgot ops of " + id.till.text);
    if (point.seq <= seen.seq) continue;
    txn.ops(shop, id, seen.seq.next(), [&, chain = id](const CloudOp& stored) {
      if (auto op = follow_chain(branch, chain, stored)) fresh.emplace_back(std::move(*op), stored.effect);
      return true;
    });
    if (seen.seq != point.seq || seen.last != point.hash)
      breaks("order: the cloud's watermark of " + id.till.text + " is not its last op");
  }
  // Which of two in one transaction came first is not known: the one that took effect.
  std::stable_partition(fresh.begin(), fresh.end(), [](const auto& f) { return f.second == OpEffect::applied; });
  std::set<std::string> touched;
  for (const auto& [op, effect] : fresh) take_effect(branch, op, effect, touched);
  check_stock(txn, branch, touched);
}

// Rules 1 and 2: gapless, chained, recorded by somebody, every cashier's ops in order.
std::optional<Op> Rules::follow_chain(int branch, const ChainId& chain, const CloudOp& stored) {
  Seen& seen = books_[branch].chains[chain];
  auto op = decode_op(stored.bytes);
  const Hash hash = blake2b(stored.bytes);
  if (!op || op->seq != seen.seq.next() || op->prev != seen.last || op->chain != chain) {
    breaks("order: " + chain.till.text + " at " + std::to_string(seen.seq.value + 1));
    return std::nullopt;
  }
  seen = {op->seq, hash};
  ++in_cloud_;
  if (!flushed_.contains(hash)) breaks("invented: nobody recorded " + op->key + " of " + chain.till.text);
  const auto before = flushed_.find(op->cashier_prev);
  if (before != flushed_.end() && !in_order(before->second, {chain, op->seq, op->hlc}))
    breaks("order: of cashier " + op->cashier + " at " + op->key);
  if (op->kind == OpKind::incarnation) books_[branch].incarnations.insert(chain);
  return op;
}

std::string Rules::place_of(const Op& op) {
  return words(StockPlace{op.hlc, op.chain.till, op.chain.incarnation, op.seq});
}

// Rule 1: in effect once.
void Rules::take_effect(int branch, const Op& op, OpEffect effect, std::set<std::string>& touched) {
  ShopBook& book = books_[branch];
  const Hash content = content_hash(op.kind, op.body);
  const auto known = book.effects.find(op.key);
  const OpEffect right = known == book.effects.end() ? OpEffect::applied
                         : known->second == content  ? OpEffect::duplicate
                                                     : OpEffect::conflict;
  const bool word = op.kind == OpKind::resolution && right == OpEffect::applied;  // another may have been quicker
  if (effect != right && !word) breaks("doubled: " + op.key + " does not have the effect that it must");
  if (right == OpEffect::conflict) book.conflicting.insert(op.key);
  if (word && effect != OpEffect::applied) book.overruled[op.key] = effect == OpEffect::conflict ? place_of(op) : "";
  if (effect != OpEffect::applied) return;
  book.effects.emplace(op.key, content);
  if (op.kind == OpKind::clock_correction) redate(book, op, touched);
  Hlc hlc = op.hlc;
  for (const auto& [till, correction] : book.corrections) {
    if (till == op.chain.till && correction.covers(op.chain, op.seq)) hlc = correction.applied(hlc);
  }
  for (const auto& [sku, move] : stock_moves(op.kind, op.body)) {
    book.stock[sku].push_back({hlc, op.chain, op.seq, move.is_count, move.milli, move.stocked});
    touched.insert(sku);
  }
  const auto document = op.kind == OpKind::resolution ? decode_document(op.body) : std::nullopt;
  if (!document) return;
  for (const auto& line : document->lines) book.words[document->reference][line.sku] += line.quantity.milli;
}

void Rules::redate(ShopBook& book, const Op& op, std::set<std::string>& touched) {
  const auto correction = unpack<Correction>(op.body);
  if (!correction) return breaks("unreadable: the clock correction of " + op.chain.till.text);
  book.corrections.emplace_back(op.chain.till, *correction);
  for (auto& [sku, events] : book.stock) {
    for (StockEvent& e : events) {
      if (e.chain.till != op.chain.till || !correction->covers(e.chain, e.seq)) continue;
      e.hlc = correction->applied(e.hlc);
      touched.insert(sku);
    }
  }
}

// Within a history by number; across tills by time, as long as the clocks were right.
bool Rules::in_order(const Place& before, const Place& after) const {
  return before.chain == after.chain ? before.seq < after.seq : before.hlc < after.hlc || !clocks_right_;
}

// Rule 3 at the cloud: sort everything, apply one by one.
void Rules::check_stock(CloudTxn& txn, int branch, const std::set<std::string>& products) {
  for (const std::string& sku : products) {
    auto& events = books_[branch].stock[sku];
    std::sort(events.begin(), events.end());
    std::int64_t stock = 0;
    for (const StockEvent& e : events) stock = e.is_count ? e.milli : stock + e.milli;
    const auto row = txn.row(fleet_->shop(branch), stock_feed(fleet_->roster(branch).branch), sku);
    const auto fields = row ? unpack<StockRow>(row->fields) : std::nullopt;
    if (!fields || fields->milli != stock) breaks("stock: the cloud's row of " + sku + " is not the fold of its ops");
  }
}

}  // namespace tillsync::sim
