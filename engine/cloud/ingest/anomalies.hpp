// What does not look right in an op that the cloud takes in, though it takes effect: refunds of more than was sold or
// of a sale that nobody knows, prices that had been replaced, stamps that can't be true.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <tillsync/op.hpp>

#include "engine/cloud/ingest/conflict_book.hpp"
#include "engine/cloud/ingest/row_writer.hpp"

namespace tillsync {

class Anomalies {
 public:
  static constexpr std::int64_t kAheadMs = 5 * 60 * 1000;  // further in the future than this is no clock

  Anomalies(CloudTxn& txn, const BranchKey& branch, std::int64_t now_ms, ConflictBook& book, RowWriter& rows)
      : txn_(txn), branch_(branch), now_ms_(now_ms), book_(book), rows_(rows) {}

  // An op that took effect, at its corrected place.
  void look_at(const Op& op, const Document& document, const StockPlace& place);
  // Its stamp, as the till gave it; `settled` is the frontier.
  void look_at_clock(const Op& op, Hlc settled);
  // A product's events around its last count.
  void look_at_count(const std::string& sku, const StockPlace& count);
  void write();

 private:
  void look_at_refund(const Document& document, const StockPlace& place);
  void look_at_price(const Op& op, const Document& document, const StockPlace& place);
  void weigh(const std::string& sale);
  std::set<std::string>& waiting();  // sales that refunds name and that have not come

  CloudTxn& txn_;
  BranchKey branch_;
  std::int64_t now_ms_;
  ConflictBook& book_;
  RowWriter& rows_;
  std::optional<std::set<std::string>> waiting_;
  bool waiting_changed_ = false;
  std::set<ChainId> clocks_seen_;
};

}  // namespace tillsync
