// The stock of one branch inside a transaction of the cloud: events of the ops that came, each product's fold, and the
// rows that the tills read. Ops recorded while a till's clock was wrong are moved to where they belong.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/cloud/anomalies.hpp"
#include "engine/cloud/conflict_book.hpp"
#include "engine/ledger/ledger.hpp"
#include "engine/ledger/moves.hpp"
#include "storage/model/cloud_store.hpp"

namespace tillsync {

class BranchStock {
 public:
  BranchStock(CloudTxn& txn, const BranchKey& shop) : txn_(txn), shop_(shop) {}

  // Where an op belongs, whatever its till's clock said when it was recorded.
  Hlc corrected(const Op& op);
  void apply(const Op& op, const StockMoves& moves, bool has_effect);
  void redate(const Op& correction);
  void write_any();  // a row, though nothing changed: so that readers hear which history is closed

  // At the end, in this order: the events that came, what is to be read for the folds, the folds and the rows.
  void write_events();
  void name_ledgers(CloudReads& reads) const;
  void load_ledgers();
  void name_events(CloudReads& reads) const;
  void fold(ConflictBook& conflicts, Anomalies& anomalies);

 private:
  struct Product {
    StockRow row;
    Ledger ledger;
    std::vector<StockEvent> fresh;
    std::optional<StockPlace> first;  // the earliest place where an event came or went
    void changed_at(const StockEvent& event) {
      if (!first || (event.hlc <= first->hlc && event.place() < *first)) first = event.place();
    }
  };
  Product& product(const std::string& sku);
  std::vector<Correction>& corrections(const TillId& till);
  void move(const Op& op, const Correction& correction);
  void fold(const std::string& sku, Product& product, ConflictBook& conflicts, Anomalies& anomalies);

  CloudTxn& txn_;
  const BranchKey& shop_;
  std::map<std::string, Product> products_;
  std::unordered_map<std::string_view, Product*> by_sku_;  // the same, quicker to find
  std::map<TillId, std::vector<Correction>> corrections_;
};

}  // namespace tillsync
