// What a push does to the cloud's record, inside one transaction: ops, duplicates and conflicts by idempotency key, the
// stock fold, the frontier, row versions and watermarks.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/cloud/anomalies.hpp"
#include "engine/cloud/conflict_book.hpp"
#include "engine/cloud/frontier.hpp"
#include "engine/cloud/row_book.hpp"
#include "engine/wire/open_push.hpp"
#include "storage/cloud_store.hpp"

namespace tillsync {

struct IngestCounts {
  std::uint64_t appended = 0;
  std::uint64_t duplicates = 0;  // ops whose key had taken effect already, closed quietly
  std::uint64_t conflicts = 0;
};

class Ingest {
 public:
  Ingest(CloudTxn& txn, std::int64_t now_ms, const Policies& policies)
      : txn_(txn), now_ms_(now_ms), policies_(policies) {}

  // What is about to be pushed: read from afar at once.
  void expect(const std::vector<std::pair<Shop, const OpenedPush*>>& pushes);
  // Where the chain stands afterwards: the answer to the push.
  ChainPoint push(const Shop& shop, const OpenedPush& push);
  // That every later op of the chain is stamped after `hlc`; it counts if the cloud holds what came before.
  void progress(const Shop& shop, const ChainId& chain, Seq last, Hlc hlc);
  bool raise(const Shop& shop, Conflict conflict);
  // Folds what came, moves the branches' frontiers, writes rows and conflicts. Call once, at the end of the
  // transaction.
  IngestCounts finish(const std::map<Shop, std::vector<TillId>>& tills);

 private:
  struct Touched {  // a product
    StockRow row;
    Ledger ledger;
    std::vector<StockEvent> fresh;
    std::optional<StockPlace> first;  // the earliest place where an event came or went
    void changed_at(const StockPlace& place) { first = first ? std::min(*first, place) : place; }
  };
  struct Books {  // of a branch
    ConflictBook conflicts;
    RowBook rows;
    Anomalies anomalies;
    Books(CloudTxn& txn, const Shop& shop, std::int64_t now_ms, const Policies& policies)
        : conflicts(txn, shop, now_ms, policies),
          rows(txn, shop, now_ms),
          anomalies(txn, shop, now_ms, conflicts, rows) {}
    Books(Books&&) = delete;
  };
  void append(const Shop& shop, const OpenedOp& op);
  OpEffect judge_key(const Shop& shop, const Op& op, const Hash& content);
  OpEffect take_effect(const Shop& shop, const Op& op, const OpDraft& draft);
  void look_at(const Shop& shop, const Op& op, const Document& document);
  void edit(const Shop& shop, const Op& op, const OpDraft& draft);
  std::optional<std::string> replay(const Shop& shop, const StockPlace& place);
  Touched& touched(const Shop& shop, const std::string& sku);
  void apply_stock(const Shop& shop, const Op& op, const std::vector<Line>& lines, bool has_effect);
  std::vector<Correction>& corrections(const Shop& shop, const TillId& till);
  Hlc corrected(const Shop& shop, const Op& op);
  void redate(const Shop& shop, const Op& correction);
  void load_ledgers();
  void fold(const Shop& shop, const std::string& sku, Touched& product);
  Frontier& frontier(const Shop& shop);
  Books& books(const Shop& shop);

  CloudTxn& txn_;
  std::int64_t now_ms_;
  std::map<std::pair<Shop, std::string>, Touched> stock_;
  const Policies& policies_;
  std::map<Shop, Books> books_;
  std::map<Shop, Frontier> frontiers_;
  std::map<std::pair<Shop, TillId>, std::vector<Correction>> corrections_;
  IngestCounts counts_;
};

}  // namespace tillsync
