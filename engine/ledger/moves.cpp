#include "engine/ledger/moves.hpp"

#include <algorithm>

#include "storage/base/text_rules.hpp"
#include "storage/model/op_codec.hpp"

namespace tillsync {

namespace {

// The sign by which a line's quantity changes the shelf.
int direction(OpKind kind) {
  switch (kind) {
    case OpKind::sale:
    case OpKind::resale:
      return -1;
    default:
      return 1;  // refund, restock; transfer and adjust carry their own sign
  }
}

template <class AnyLine>
StockMoves moves_of_lines(OpKind kind, const std::vector<AnyLine>& lines) {
  if (!moves_stock(kind)) return {};
  const bool is_count = kind == OpKind::count;
  const bool stocked = is_count || kind == OpKind::restock || kind == OpKind::transfer || kind == OpKind::adjust;
  std::vector<const AnyLine*> sorted;
  sorted.reserve(lines.size());
  for (const AnyLine& line : lines) {
    if (is_sku(line.sku)) sorted.push_back(&line);  // a till that checks nothing may have recorded anything
  }
  std::ranges::sort(sorted, {}, &AnyLine::sku);
  StockMoves moves;
  moves.reserve(sorted.size());
  for (const AnyLine* line : sorted) {
    const auto change = static_cast<std::uint64_t>(direction(kind)) * static_cast<std::uint64_t>(line->quantity.milli);
    if (moves.empty() || moves.back().first != line->sku)
      moves.emplace_back(line->sku, StockMove{is_count, 0, stocked});
    std::int64_t& sum = moves.back().second.milli;  // outside bytes may wrap
    sum = static_cast<std::int64_t>(static_cast<std::uint64_t>(sum) + change);
  }
  return moves;
}

}  // namespace

StockMoves stock_moves(OpKind kind, const std::vector<Line>& lines) { return moves_of_lines(kind, lines); }

StockMoves stock_moves(OpKind kind, ByteView body) {
  if (!moves_stock(kind)) return {};
  const auto lines = decode_lines(body);
  return lines ? moves_of_lines(kind, *lines) : StockMoves{};
}

std::vector<ConflictMove> moves_of(const Op& op) {
  constexpr std::size_t kMostLines = 100;
  const auto document = moves_stock(op.kind) && op.kind != OpKind::count ? decode_document(op.body) : std::nullopt;
  std::vector<ConflictMove> moves;
  if (!document || document->lines.size() > kMostLines) return moves;
  for (const Line& line : document->lines)
    moves.push_back({line.sku, direction(op.kind) * line.quantity.milli, line.unit_price});
  return moves;
}

std::int64_t fold(std::int64_t start_milli, const std::vector<StockEvent>& events) {
  auto quantity = static_cast<std::uint64_t>(start_milli);
  for (const StockEvent& e : events) {
    quantity = e.is_count ? static_cast<std::uint64_t>(e.milli) : quantity + static_cast<std::uint64_t>(e.milli);
  }
  return static_cast<std::int64_t>(quantity);
}

}  // namespace tillsync
