#include "engine/stock/moves.hpp"

#include <algorithm>

#include "storage/op_codec.hpp"

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

}  // namespace

StockMoves stock_moves(OpKind kind, const std::vector<Line>& lines) {
  StockMoves moves;
  if (!moves_stock(kind)) return moves;
  const bool is_count = kind == OpKind::count;
  const bool stocked = is_count || kind == OpKind::restock || kind == OpKind::transfer || kind == OpKind::adjust;
  moves.reserve(lines.size());
  for (const Line& line : lines) {
    const auto change = static_cast<std::uint64_t>(direction(kind)) * static_cast<std::uint64_t>(line.quantity.milli);
    moves.emplace_back(line.sku, StockMove{is_count, static_cast<std::int64_t>(change), stocked});
  }
  std::ranges::sort(moves, {}, &StockMoves::value_type::first);
  auto last = moves.begin();
  for (auto each = moves.begin(); each != moves.end(); ++each) {
    if (each == last) continue;
    if (each->first != last->first) {
      if (++last != each) *last = std::move(*each);
    } else {  // outside bytes may wrap
      last->second.milli = static_cast<std::int64_t>(static_cast<std::uint64_t>(last->second.milli) +
                                                     static_cast<std::uint64_t>(each->second.milli));
    }
  }
  if (!moves.empty()) moves.erase(last + 1, moves.end());
  return moves;
}

StockMoves stock_moves(OpKind kind, ByteView body) {
  if (!moves_stock(kind)) return {};
  const auto document = decode_document(body);
  return document ? stock_moves(kind, document->lines) : StockMoves{};
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
