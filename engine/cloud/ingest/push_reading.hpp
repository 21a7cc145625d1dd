// Reading a verified push: its ops, what each was recorded from, what is wrong with them, and how they move stock. None
// of it needs the record, so it can be done on another thread while the record is written.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/ledger/moves.hpp"
#include "engine/wire/open_push.hpp"

namespace tillsync {

struct ReadOp {
  std::optional<OpDraft> draft;      // what it was recorded from, if that can be read
  std::optional<std::string> fault;  // whatever a branch allows
  StockMoves moves;
  std::optional<std::string> unstorable;  // the database refuses what it would do: it is kept, and does nothing
};

struct ReadPush {
  OpenedPush push;
  std::vector<ReadOp> ops;  // one for each of its ops
};

ReadPush read_ops(OpenedPush push);

class PushReading {
 public:
  PushReading(Push push, BranchId branch);
  std::size_t ops() const { return count_; }
  std::size_t bytes() const { return bytes_; }
  // The first call does it; one thread at a time. Errors: refused, when it is no chain.
  const Result<ReadPush>& read() const;

 private:
  mutable Push push_;  // until it is read
  BranchId branch_;
  std::size_t count_, bytes_ = 0;
  mutable std::optional<Result<ReadPush>> read_;
};

}  // namespace tillsync
