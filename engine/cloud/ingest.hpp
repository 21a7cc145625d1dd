// What a push does to the cloud's record, inside one transaction: ops, duplicates and conflicts by idempotency key, the
// stock fold, row versions and watermarks.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/wire/open_push.hpp"
#include "storage/cloud_store.hpp"

namespace tillsync {

struct IngestCounts {
  std::uint64_t appended = 0;
  std::uint64_t duplicates = 0;  // ops whose key had taken effect already, closed quietly
  std::uint64_t conflicts = 0;
  bool rows_changed = false;
};

class Ingest {
 public:
  Ingest(CloudTxn& txn, std::int64_t now_ms) : txn_(txn), now_ms_(now_ms) {}

  // Where the chain stands afterwards: the answer to the push.
  ChainPoint push(const Shop& shop, const OpenedPush& push);
  // Writes the stock rows that pushes touched. Call once, at the end of the transaction.
  IngestCounts finish();

 private:
  void append(const Shop& shop, const OpenedOp& op);
  StockRow& stock_row(const Shop& shop, const std::string& sku);
  void apply_stock(const Shop& shop, const Op& op, bool has_effect);
  void raise(const Shop& shop, CloudConflict conflict);

  CloudTxn& txn_;
  std::int64_t now_ms_;
  std::map<std::pair<Shop, std::string>, StockRow> stock_;
  IngestCounts counts_;
};

}  // namespace tillsync
