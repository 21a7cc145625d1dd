// The stock of one branch inside a transaction of the cloud, in three stages. BranchStock takes what ops do to it;
// WrittenEvents has put their events into the record; ReadLedgers has what the folds go on from, and folds. Each stage
// ends the one before it, so that the order is the only one that compiles. Between two stages a caller says what all
// its branches are about to read, for a database that is far away.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/cloud/ingest/anomalies.hpp"
#include "engine/cloud/ingest/conflict_book.hpp"
#include "engine/ledger/ledger.hpp"
#include "engine/ledger/moves.hpp"
#include "storage/model/cloud_store.hpp"

namespace tillsync {

// One product's stock, as the transaction changes it.
struct ProductStock {
  StockRow row;
  Ledger ledger;
  std::vector<StockEvent> fresh;
  std::optional<StockPlace> first;  // the earliest place where an event came or went
  void changed_at(const StockEvent& event) {
    if (!first || (event.hlc <= first->hlc && event.place() < *first)) first = event.place();
  }
};
using ProductStocks = std::map<std::string, ProductStock>;  // by sku

// What is to be folded has been read.
class ReadLedgers {
 public:
  void name_reads(CloudReads& reads) const;  // what fold() reads
  // Each product's fold, and the rows that the tills read.
  void fold(ConflictBook& conflicts, Anomalies& anomalies) &&;

 private:
  friend class WrittenEvents;
  ReadLedgers(CloudTxn& txn, const BranchKey& branch, ProductStocks products)
      : txn_(txn), branch_(branch), products_(std::move(products)) {}
  void fold(const std::string& sku, ProductStock& product, ConflictBook& conflicts, Anomalies& anomalies);

  CloudTxn& txn_;
  const BranchKey& branch_;
  ProductStocks products_;
};

// The events of the ops that came are in the record.
class WrittenEvents {
 public:
  void name_reads(CloudReads& reads) const;  // what read_ledgers() reads
  ReadLedgers read_ledgers() &&;

 private:
  friend class BranchStock;
  WrittenEvents(CloudTxn& txn, const BranchKey& branch, ProductStocks products)
      : txn_(txn), branch_(branch), products_(std::move(products)) {}

  CloudTxn& txn_;
  const BranchKey& branch_;
  ProductStocks products_;
};

// Ops recorded while a till's clock was wrong are moved to where they belong.
class BranchStock {
 public:
  BranchStock(CloudTxn& txn, const BranchKey& branch) : txn_(txn), branch_(branch) {}

  // Where an op belongs, whatever its till's clock said when it was recorded.
  Hlc corrected(const Op& op);
  void apply(const Op& op, const StockMoves& moves, bool has_effect);
  void redate(const Op& correction);
  void write_any();  // a row, though nothing changed: so that readers hear which history is closed
  WrittenEvents write_events() &&;

 private:
  ProductStock& product(const std::string& sku);
  std::vector<Correction>& corrections(const TillId& till);
  void move(const Op& op, const Correction& correction);

  CloudTxn& txn_;
  const BranchKey& branch_;
  ProductStocks products_;
  std::unordered_map<std::string_view, ProductStock*> by_sku_;  // the same, quicker to find
  std::map<TillId, std::vector<Correction>> corrections_;
};

}  // namespace tillsync
