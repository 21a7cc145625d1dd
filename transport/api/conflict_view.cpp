// Conflicts as they are shown, and read back by the terminal.
#include <algorithm>
#include <set>

#include "conflicts/policy.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/row_edit.hpp"
#include "transport/api/views.hpp"

namespace tillsync::api {

namespace {

std::vector<MoveView> moves_view(const std::vector<ConflictMove>& moves) {
  std::vector<MoveView> out;
  for (const ConflictMove& m : moves) out.push_back({m.sku, m.milli, m.unit_price});
  return out;
}

SideView side_view(const ConflictSide& side) {
  SideView out{side.place.till.text,
               side.place.incarnation,
               side.place.seq,
               side.place.hlc.millis(),
               side.key,
               side.cashier,
               side.what,
               side.milli,
               side.money,
               {}};
  if (!side.was.empty()) out.had_seen = value_words(side.was);
  return out;
}

std::set<std::string> products_of(const Conflict& c) {
  std::set<std::string> out;
  if (c.kind == "below_zero") out.insert(c.subject);
  for (const ConflictSide& side : c.sides) {
    for (const ConflictMove& m : side.moves) out.insert(m.sku);
  }
  if (c.settlement) {
    for (const ConflictMove& m : c.settlement->moves) out.insert(m.sku);
  }
  return out;
}

}  // namespace

ConflictView view_of(const Conflict& c, const StockNow& stock_now) {
  ConflictView out;
  out.id = c.id, out.kind = c.kind, out.branch = c.branch, out.subject = c.subject;
  out.open = c.waits(), out.at_ms = c.at_ms, out.state = tillsync::name_of(c.state);
  out.money = c.money, out.currency = c.currency;
  for (const ConflictSide& side : c.sides) out.sides.push_back(side_view(side));
  out.summary = c.summary;
  for (const ConflictStep& step : c.history) out.history.push_back({step.at_ms, step.who, step.what, step.reason});
  out.rule = c.rule;
  for (const Choice& each : choices_for(c, stock_now))
    out.choices.push_back({each.name, each.words, each.preview, moves_view(each.moves)});
  for (const std::string& sku : products_of(c)) {
    if (const auto milli = stock_now(sku)) out.stock[sku] = *milli;
  }
  out.record = HexBytes{pack(c)};
  return out;
}

StockNow ShownConflict::stock_now() const {
  return [stock = stock](const std::string& sku) {
    const auto it = stock.find(sku);
    return it == stock.end() ? std::nullopt : std::optional(it->second);
  };
}

std::optional<ShownConflict> conflict_of(const ConflictView& view) {
  auto conflict = view.record ? unpack<Conflict>(view.record->bytes) : std::nullopt;
  if (!conflict) return std::nullopt;
  return ShownConflict{std::move(*conflict), view.stock};
}

ConflictsPage page_of(std::vector<ConflictView> all, std::uint64_t from) {
  constexpr std::size_t kMostBytes = 512 * 1024;
  std::ranges::stable_partition(all, &ConflictView::open);
  ConflictsPage page;
  std::size_t bytes = 0;
  std::uint64_t next = from;
  for (; next < all.size() && bytes < kMostBytes; ++next) {
    bytes += json_text(write(all[next])).size();
    page.conflicts.push_back(std::move(all[next]));
  }
  page.more = next < all.size();
  return page;
}

}  // namespace tillsync::api
