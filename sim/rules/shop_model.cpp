#include "sim/rules/shop_model.hpp"

#include <algorithm>
#include <utility>

#include "conflicts/choices.hpp"
#include "engine/ledger/moves.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/op_codec.hpp"

namespace tillsync::sim {

OpEffect ShopModel::right_effect(const Op& op) const {
  const auto known = effects_.find(op.key);
  if (known == effects_.end()) return OpEffect::applied;
  return known->second == content_hash(op.kind, op.body) ? OpEffect::duplicate : OpEffect::conflict;
}

void ShopModel::take(const Op& op, OpEffect effect) {
  const OpEffect right = right_effect(op);
  if (op.kind == OpKind::incarnation) forks_.insert(op.chain);
  if (right == OpEffect::conflict) conflicting_.insert(op.key);
  if (effect != OpEffect::applied) {
    const bool late = op.kind == OpKind::resolution && right == OpEffect::applied;
    const StockPlace place{op.hlc, op.chain.till, op.chain.incarnation, op.seq};
    if (late) late_[op.key] = effect == OpEffect::conflict ? words(place) : "";
    return;
  }
  effects_.emplace(op.key, content_hash(op.kind, op.body));
  const auto correction = op.kind == OpKind::clock_correction ? unpack<Correction>(op.body) : std::nullopt;
  if (correction) redate(op.chain, *correction);
  move_stock(op);
  const auto document = op.kind == OpKind::resolution ? decode_document(op.body) : std::nullopt;
  if (!document) return;
  for (const auto& line : document->lines) resolved_[document->reference][line.sku] += line.quantity.milli;
}

void ShopModel::redate(const ChainId& chain, const Correction& correction) {
  corrections_.emplace_back(chain.till, correction);
  for (auto& [sku, events] : stock_) {
    for (StockEvent& e : events) {
      if (e.chain.till != chain.till || !correction.covers(e.chain, e.seq)) continue;
      e.hlc = correction.applied(e.hlc);
      touched_.insert(sku);
    }
  }
}

void ShopModel::move_stock(const Op& op) {
  Hlc hlc = op.hlc;
  for (const auto& [till, correction] : corrections_) {
    if (till == op.chain.till && correction.covers(op.chain, op.seq)) hlc = correction.applied(hlc);
  }
  for (const auto& [sku, move] : stock_moves(op.kind, op.body)) {
    stock_[sku].push_back({hlc, op.chain, op.seq, move.is_count, move.milli, move.stocked});
    touched_.insert(sku);
  }
}

std::set<std::string> ShopModel::end_of_job() {
  for (const std::string& sku : touched_) std::ranges::sort(stock_[sku], std::less<>());
  return std::exchange(touched_, {});
}

std::set<std::string> ShopModel::keys_in_effect() const {
  std::set<std::string> keys;
  for (const auto& [key, content] : effects_) keys.insert(key);
  return keys;
}

std::map<std::string, std::int64_t> ShopModel::moved_by_resolutions(const std::string& conflict) const {
  const auto found = resolved_.find(conflict);
  return found == resolved_.end() ? std::map<std::string, std::int64_t>() : found->second;
}

std::int64_t fold(const std::vector<StockEvent>& events) {
  std::int64_t stock = 0;
  for (const StockEvent& e : events) stock = e.is_count ? e.milli : stock + e.milli;
  return stock;
}

}  // namespace tillsync::sim
