// What an op does to stock, and the fold that every tier runs: events in (hlc, till, incarnation, seq) order, each a
// delta or a count that sets the quantity.
#pragma once

#include <string>
#include <tillsync/op.hpp>
#include <utility>
#include <vector>

#include "conflicts/record.hpp"
#include "storage/model/records.hpp"

namespace tillsync {

struct StockMove {
  bool is_count = false;
  std::int64_t milli = 0;
  bool stocked = false;  // by a kind of op that says what is kept in stock
};

// In the order of their skus, one entry a sku: lines of the same product are summed. Empty for ops that move no stock.
using StockMoves = std::vector<std::pair<std::string, StockMove>>;
StockMoves stock_moves(OpKind kind, ByteView body);
StockMoves stock_moves(OpKind kind, const std::vector<Line>& lines);

// Line by line, for people who decide whether an op counts; empty when it can't be undone by adding (a count), or is
// very long.
std::vector<ConflictMove> moves_of(const Op& op);

// Applies events to a quantity; they must be sorted.
std::int64_t fold(std::int64_t start_milli, const std::vector<StockEvent>& events);

}  // namespace tillsync
