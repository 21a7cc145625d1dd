// People's words on conflicts, as the cloud takes them in: what is settled, and what is settled twice.
#pragma once

#include <functional>
#include <string>
#include <tillsync/op.hpp>

#include "conflicts/choices.hpp"
#include "engine/cloud/ingest/conflict_book.hpp"
#include "engine/cloud/ingest/row_writer.hpp"

namespace tillsync {

class Settling {
 public:
  // Takes an op that was refused as it is after all; a sentence when it still can't be.
  using Replay = std::function<std::optional<std::string>(const StockPlace&)>;

  Settling(ConflictBook& book, RowWriter& rows, Replay replay) : book_(book), rows_(rows), replay_(std::move(replay)) {}

  // The effect that the resolution op has: applied, duplicate (it says what was said already), conflict (another was
  // quicker: neither is lost), or dead (no sense in it; `why` says so).
  OpEffect take(const Op& op, const Document& document, const StockPlace& place, std::string& why);

 private:
  void carry_out(Conflict& conflict, const Resolution& said, const StockPlace& place);
  OpEffect too_late(Conflict& conflict, const Resolution& said, const StockPlace& place, const ConflictSide& side);
  void take_row(const Conflict& conflict, const ConflictSide& side);
  void take_other_word(const Conflict& conflict);

  ConflictBook& book_;
  RowWriter& rows_;
  Replay replay_;
};

}  // namespace tillsync
