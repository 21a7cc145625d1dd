#include "engine/till/stock_view.hpp"

#include <algorithm>

#include "engine/ledger/moves.hpp"
#include "engine/till/event_packets.hpp"
#include "storage/base/mutants.hpp"
#include "storage/base/pack.hpp"

namespace tillsync {

void StockView::add_op(const Op& op) {
  const auto moves = stock_moves(op.kind, op.body);
  for (const auto& [sku, move] : moves) add(sku, {op.hlc, op.chain, op.seq, move.is_count, move.milli, move.stocked});
  if (!op.origin) return;
  const ChainId old{op.chain.till, op.origin->incarnation};
  for (const auto& [sku, move] : moves)
    retract(sku, {op.origin->hlc, old, op.origin->seq, move.is_count, move.milli, move.stocked});
}

void StockView::add(const std::string& sku, const StockEvent& event) { fresh_[sku].events.push_back(event); }

bool StockView::adding() const {
  return std::any_of(fresh_.begin(), fresh_.end(), [](const auto& each) { return !each.second.events.empty(); });
}

void StockView::retract(const std::string& sku, const StockEvent& event) { fresh_[sku].retracted.push_back(event); }

void StockView::set_row(const std::string& sku, StockRow row) { fresh_[sku].row = std::move(row); }

void StockView::form(TillView& view, StoreBatch& batch) {
  for (const auto& [sku, change] : fresh_) batch.stock(sku, settle(view, sku, change, &batch));
  forming_ = std::move(fresh_);
  fresh_.clear();
}

std::optional<StockRow> StockView::stored_row(TillView& view, const std::string& sku) const {
  const auto stored = view.row(feed_, sku);
  return stored && !stored->row.deleted ? unpack<StockRow>(stored->row.fields) : std::nullopt;
}

namespace {

// Nearly always they are sorted.
void sort_once(std::vector<StockEvent>& events) {
  if (!std::ranges::is_sorted(events)) std::ranges::sort(events);
  events.erase(std::unique(events.begin(), events.end()), events.end());
}

// Without counts a quantity is a sum: what comes and goes is added and taken away, whatever else is stored. Nothing
// when the order of events matters, before or after.
std::optional<StockProjection> summed(const StockProjection& before, const StockRow& old_row, const StockRow& row,
                                      const std::vector<StockEvent>& gone, const std::vector<StockEvent>& added) {
  const auto orders = [](const StockEvent& e) { return e.is_count; };
  if (before.has_count || row.last_count != old_row.last_count || std::ranges::any_of(added, orders))
    return std::nullopt;
  auto milli = static_cast<std::uint64_t>(before.milli) - static_cast<std::uint64_t>(old_row.milli) +
               static_cast<std::uint64_t>(row.milli);
  for (const StockEvent& e : gone) milli -= row.counted(e) ? 0 : static_cast<std::uint64_t>(e.milli);
  for (const StockEvent& e : added) milli += row.counted(e) ? 0 : static_cast<std::uint64_t>(e.milli);
  return StockProjection{static_cast<std::int64_t>(milli), false};
}

}  // namespace

StockProjection StockView::settle(TillView& view, const std::string& sku, const Change& change,
                                  StoreBatch* batch) const {
  const StockRow old_row = stored_row(view, sku).value_or(StockRow{});
  const StockRow& row = change.row ? *change.row : old_row;
  const StockProjection before = view.stock(sku).value_or(StockProjection{old_row.milli, false});
  EventPackets stored(view, sku);
  std::vector<StockEvent> gone;  // stored, and contained in the row or retracted now
  const auto contained = [&](const StockEvent& e) {
    return e.seq <= row.contained_of(e.chain) && !mutated(Mutant::ignore_contained);
  };
  if (change.row && !mutated(Mutant::ignore_contained)) {
    for (const ChainUpTo& c : row.contained) {
      const auto held = stored.up_to(c.chain(), c.seq);
      gone.insert(gone.end(), held.begin(), held.end());
    }
  }
  for (const StockEvent& e : change.retracted) {
    if (!contained(e) && stored.holds(e)) gone.push_back(e);
  }
  sort_once(gone);
  std::vector<StockEvent> added = change.events;
  sort_once(added);
  std::erase_if(added, [&](const StockEvent& e) {
    return contained(e) || std::ranges::find(change.retracted, e) != change.retracted.end() || stored.holds(e);
  });
  if (batch != nullptr) {
    for (const StockEvent& e : added) stored.add(e);
    for (const StockEvent& e : gone) stored.drop(e);
    stored.write(*batch);
  }
  if (const auto sum = summed(before, old_row, row, gone, added)) return *sum;
  std::vector<StockEvent> all = view.events(sku);
  all.insert(all.end(), added.begin(), added.end());
  std::erase_if(
      all, [&](const StockEvent& e) { return std::ranges::binary_search(gone, e) || contained(e) || row.counted(e); });
  std::sort(all.begin(), all.end());
  return {fold(row.milli, all), std::ranges::any_of(all, [](const StockEvent& e) { return e.is_count; })};
}

StockView::Change StockView::unstored(const std::string& sku) const {
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

bool StockView::kept(TillView& view, const std::string& sku) const {
  const Change fresh = unstored(sku);
  const auto row = fresh.row ? fresh.row : stored_row(view, sku);
  const auto says = [](const StockEvent& e) { return e.stocked; };
  return (row && row->kept) || std::ranges::any_of(fresh.events, says) || std::ranges::any_of(view.events(sku), says);
}

std::optional<std::int64_t> StockView::quantity(TillView& view, const std::string& sku) const {
  const Change merged = unstored(sku);
  if (merged.events.empty() && !merged.row && !view.stock(sku) && !stored_row(view, sku)) return std::nullopt;
  return settle(view, sku, merged, nullptr).milli;
}

}  // namespace tillsync
