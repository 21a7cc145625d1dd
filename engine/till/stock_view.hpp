// A till's own view of its branch's stock: the cloud's row for a product, and on top of it every event that the row
// does not contain yet. Each event counts once, wherever it came from and however often.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "storage/lmdb/till_store.hpp"
#include "storage/model/feeds.hpp"

namespace tillsync {

class StockView {
 public:
  explicit StockView(BranchId branch) : feed_(stock_feed(branch)) {}

  // Whatever till sold it, an op counts once, however it came. If it re-issues a disputed op, that one is void.
  void add_op(const Op& op);
  void add(const std::string& sku, const StockEvent& event);      // of another till
  bool adding() const;                                            // events that are not stored yet
  void retract(const std::string& sku, const StockEvent& event);  // it counts no more, nor when it comes again
  void set_row(const std::string& sku, StockRow row);             // the cloud's newest row

  // Moves what came since the last call into the batch. Only while no commit is in flight: it reads what is stored.
  void form(TillView& view, StoreBatch& batch);
  void on_committed() { forming_.clear(); }
  bool dirty() const { return !fresh_.empty(); }

  // Whether the product is kept in stock, as far as this till knows: then the quantity can be believed.
  bool kept(TillView& view, const std::string& sku) const;
  // What is on the shelf as far as this till knows; nothing for a product it never heard of.
  std::optional<std::int64_t> quantity(TillView& view, const std::string& sku) const;

 private:
  struct Change {
    std::vector<StockEvent> events;
    std::vector<StockEvent> retracted;
    std::optional<StockRow> row;
  };
  StockProjection settle(TillView& view, const std::string& sku, const Change& change, StoreBatch* batch) const;
  Change unstored(const std::string& sku) const;
  std::optional<StockRow> stored_row(TillView& view, const std::string& sku) const;

  FeedKind feed_;
  std::map<std::string, Change> fresh_;    // since the last form()
  std::map<std::string, Change> forming_;  // in the commit in flight
};

}  // namespace tillsync
