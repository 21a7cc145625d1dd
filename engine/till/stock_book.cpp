#include "engine/till/stock_book.hpp"

#include <algorithm>

#include "engine/stock/moves.hpp"
#include "storage/mutants.hpp"
#include "storage/pack.hpp"

namespace tillsync {

void StockBook::add(const std::string& sku, const StockEvent& event) { fresh_[sku].events.push_back(event); }

bool StockBook::adding() const {
  return std::any_of(fresh_.begin(), fresh_.end(), [](const auto& each) { return !each.second.events.empty(); });
}

void StockBook::retract(const std::string& sku, const StockEvent& event) { fresh_[sku].retracted.push_back(event); }

void StockBook::set_row(const std::string& sku, StockRow row) { fresh_[sku].row = std::move(row); }

void StockBook::form(TillView& view, StoreBatch& batch) {
  for (const auto& [sku, change] : fresh_) batch.stock(sku, settle(view, sku, change, &batch));
  forming_ = std::move(fresh_);
  fresh_.clear();
}

std::optional<StockRow> StockBook::stored_row(TillView& view, const std::string& sku) const {
  const auto stored = view.row(feed_, sku);
  return stored && !stored->row.deleted ? unpack<StockRow>(stored->row.fields) : std::nullopt;
}

StockProjection StockBook::settle(TillView& view, const std::string& sku, const Change& change,
                                  StoreBatch* batch) const {
  const StockRow row = change.row ? *change.row : stored_row(view, sku).value_or(StockRow{});
  StockProjection result = view.stock(sku).value_or(StockProjection{row.milli, false});
  auto contained = [&](const StockEvent& e) {
    const auto& gone = change.retracted;
    return (e.seq <= row.contained_of(e.chain) && !mutated(Mutant::ignore_contained)) ||
           std::find(gone.begin(), gone.end(), e) != gone.end();
  };
  std::vector<StockEvent> added;
  for (const StockEvent& e : change.events) {
    if (contained(e) || view.has_event(sku, e) || std::find(added.begin(), added.end(), e) != added.end()) continue;
    added.push_back(e);
    if (batch != nullptr) batch->event(sku, e);
  }
  const bool simple =
      !change.row && change.retracted.empty() && !result.has_count &&
      std::none_of(added.begin(), added.end(), [&](const auto& e) { return e.is_count || row.counted(e); });
  if (simple) {
    for (const StockEvent& e : added) result.milli += e.milli;
    return result;
  }
  std::vector<StockEvent> all = view.events(sku);
  for (const StockEvent& e : all) {
    if (contained(e) && batch != nullptr) batch->drop_event(sku, e);
  }
  all.insert(all.end(), added.begin(), added.end());
  std::erase_if(all, [&](const StockEvent& e) { return contained(e) || row.counted(e); });
  std::sort(all.begin(), all.end());
  result.milli = fold(row.milli, all);
  result.has_count = std::any_of(all.begin(), all.end(), [](const StockEvent& e) { return e.is_count; });
  return result;
}

StockBook::Change StockBook::unstored(const std::string& sku) const {
  Change merged;
  for (const auto* part : {&forming_, &fresh_}) {
    const auto it = part->find(sku);
    if (it == part->end()) continue;
    merged.events.insert(merged.events.end(), it->second.events.begin(), it->second.events.end());
    merged.retracted.insert(merged.retracted.end(), it->second.retracted.begin(), it->second.retracted.end());
    if (it->second.row) merged.row = it->second.row;
  }
  return merged;
}

bool StockBook::kept(TillView& view, const std::string& sku) const {
  const Change fresh = unstored(sku);
  const auto row = fresh.row ? fresh.row : stored_row(view, sku);
  const auto says = [](const StockEvent& e) { return e.stocked; };
  return (row && row->kept) || std::ranges::any_of(fresh.events, says) || std::ranges::any_of(view.events(sku), says);
}

std::optional<std::int64_t> StockBook::quantity(TillView& view, const std::string& sku) const {
  const Change merged = unstored(sku);
  if (merged.events.empty() && !merged.row && !view.stock(sku) && !stored_row(view, sku)) return std::nullopt;
  return settle(view, sku, merged, nullptr).milli;
}

}  // namespace tillsync
