// What one transaction does to one branch's record: ops, duplicates and conflicts by idempotency key, the stock fold,
// the frontier, row versions and watermarks. First all that came is taken (push, progress, prove, settle); then
// write_events() and close() end it, once each and in this order, since close() wants what comes of the events. Ingest
// drives all branches of a transaction.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conflicts/choices.hpp"
#include "engine/cloud/ingest/anomalies.hpp"
#include "engine/cloud/ingest/branch_stock.hpp"
#include "engine/cloud/ingest/conflict_book.hpp"
#include "engine/cloud/ingest/frontier.hpp"
#include "engine/cloud/ingest/outbox.hpp"
#include "engine/cloud/ingest/push_reading.hpp"
#include "engine/cloud/ingest/row_writer.hpp"
#include "engine/wire/open_push.hpp"
#include "storage/model/cloud_store.hpp"

namespace tillsync {

struct IngestCounts {
  std::uint64_t appended = 0;
  std::uint64_t duplicates = 0;  // ops whose key had taken effect already, closed quietly
  std::uint64_t conflicts = 0;
  void add(const IngestCounts& more) {
    appended += more.appended, duplicates += more.duplicates, conflicts += more.conflicts;
  }
};

class BranchTxn {
 public:
  BranchTxn(CloudTxn& txn, const BranchKey& branch, std::int64_t now_ms, const Policies& policies);
  BranchTxn(BranchTxn&&) = delete;

  // What pushes will want from the record, and the end of the transaction.
  static void name_reads(const BranchKey& branch, const std::vector<const ReadPush*>& pushes, CloudReads& reads);

  // Where the chain stands afterwards: the answer to the push.
  ChainPoint push(const ReadPush& push);
  // That every later op of the chain is stamped after `hlc`; it counts if the cloud holds what came before.
  void progress(const ChainId& chain, Seq last, Hlc hlc);
  void prove(Conflict lie);  // evidence that one of its tills lied
  // A resolution by somebody at the cloud, as an op of that person's own history. Errors: not_found; refused, invalid,
  // when the conflict can't end so.
  Result<void> settle(const OpDraft& draft, const Resolution& said, const TillId& name, const SecretKey& key);

  WrittenEvents write_events() { return std::move(stock_).write_events(); }
  // Folds, moves the frontier, writes conflicts and sums. `tills`: by the roster; null when it is not known. What only
  // people settle at the cloud says nothing of the tills: then they count as silent.
  IngestCounts close(ReadLedgers ledgers, const std::vector<TillId>* tills);

 private:
  ChainPoint take(const ReadPush& push);
  void append(const OpenedOp& opened, const ReadOp& read);
  OpEffect judge_key(const Op& op);
  OpEffect take_effect(const Op& op, const OpDraft& draft);
  void look_at(const Op& op, const Document& document);
  void edit(const Op& op, const OpDraft& draft);
  std::optional<std::string> replay(const StockPlace& place);
  Frontier& frontier();
  bool raise(Conflict conflict);
  void advance_frontier(const std::vector<TillId>* tills);
  void write_tally(const std::map<std::string, std::int64_t>& waiting_changed);
  void write_outbox();

  CloudTxn& txn_;
  BranchKey branch_;
  std::int64_t now_ms_;
  const Policies& policies_;
  ConflictBook conflicts_;
  RowWriter rows_;
  Anomalies anomalies_;
  BranchStock stock_;
  std::optional<Frontier> frontier_;
  IngestCounts counts_;
  std::vector<OpRange> accepted_;
  std::uint64_t refused_ops_ = 0;
  bool heard_ = false;  // of its tills
};

}  // namespace tillsync
