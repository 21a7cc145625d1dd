// The ops this till recorded, in all of its histories: those in the database, and those that are journalled but not
// stored there yet (the pending set). Readers see both as one.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <tillsync/op.hpp>
#include <unordered_map>
#include <utility>

#include "storage/lmdb/till_store.hpp"

namespace tillsync {

struct PendingOp {
  Op op;
  Hash hash;
  Bytes bytes;
};

class OwnHistory {
 public:
  explicit OwnHistory(TillStore& store) : store_(store) {}

  void add(PendingOp op);          // journalled
  void forget(std::size_t count);  // the oldest are in the database by now
  const std::deque<PendingOp>& pending() const { return pending_; }
  std::size_t pending_bytes() const { return pending_bytes_; }

  std::optional<PendingOp> read(Incarnation incarnation, Seq seq) const;
  std::optional<PendingOp> find(const std::string& key) const;
  std::optional<PendingOp> find(TillView& view, const std::string& key) const;
  // Encoded ops of one history from `from` on, without a gap, while `visit` returns true.
  void visit(Incarnation incarnation, Seq from, const std::function<bool(Seq, ByteView)>& visit) const;

 private:
  TillStore& store_;
  std::deque<PendingOp> pending_;
  std::size_t pending_bytes_ = 0;
  std::unordered_map<std::string, std::pair<Incarnation, Seq>> pending_keys_;
};

}  // namespace tillsync
