// What pushes do to one branch's record, inside a transaction: ops, duplicates and conflicts by idempotency key, the
// stock fold, the frontier, row versions and watermarks.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/cloud/anomalies.hpp"
#include "engine/cloud/branch_stock.hpp"
#include "engine/cloud/conflict_book.hpp"
#include "engine/cloud/frontier.hpp"
#include "engine/cloud/outbox.hpp"
#include "engine/cloud/push_reading.hpp"
#include "engine/cloud/row_writer.hpp"
#include "engine/wire/open_push.hpp"
#include "storage/model/cloud_store.hpp"

namespace tillsync {

struct IngestCounts {
  std::uint64_t appended = 0;
  std::uint64_t duplicates = 0;  // ops whose key had taken effect already, closed quietly
  std::uint64_t conflicts = 0;
};

class BranchIngest {
 public:
  BranchIngest(CloudTxn& txn, const BranchKey& shop, std::int64_t now_ms, const Policies& policies);
  BranchIngest(BranchIngest&&) = delete;

  // Is about to be pushed; name_reads() then tells what its ops will want from the record.
  void expect(const ReadPush& push) { expected_.push_back(&push); }
  void name_reads(CloudReads& reads) const;
  // Where the chain stands afterwards: the answer to the push.
  ChainPoint push(const ReadPush& push);
  // That every later op of the chain is stamped after `hlc`; it counts if the cloud holds what came before.
  void progress(const ChainId& chain, Seq last, Hlc hlc);
  bool raise(Conflict conflict);

  BranchStock& stock() { return stock_; }
  const BranchStock& stock() const { return stock_; }
  // Once the stock's ledgers are loaded. `tills`: by the roster; null when it is not known.
  void finish(const std::vector<TillId>* tills);
  const IngestCounts& counts() const { return counts_; }

 private:
  void append(const OpenedOp& opened, const ReadOp& read);
  OpEffect judge_key(const Op& op);
  OpEffect take_effect(const Op& op, const OpDraft& draft);
  void look_at(const Op& op, const Document& document);
  void edit(const Op& op, const OpDraft& draft);
  std::optional<std::string> replay(const StockPlace& place);
  Frontier& frontier();

  CloudTxn& txn_;
  BranchKey shop_;
  std::int64_t now_ms_;
  const Policies& policies_;
  ConflictBook conflicts_;
  RowWriter rows_;
  Anomalies anomalies_;
  BranchStock stock_;
  std::optional<Frontier> frontier_;
  std::vector<const ReadPush*> expected_;
  IngestCounts counts_;
  std::vector<OpRange> accepted_;
  std::uint64_t refused_ops_ = 0;
};

}  // namespace tillsync
