#include "engine/cloud/import.hpp"

#include "engine/cloud/ingest/meta_names.hpp"
#include "engine/cloud/ingest/row_writer.hpp"
#include "engine/validate.hpp"
#include "storage/model/cloud_store.hpp"

namespace tillsync {

std::string import_checkpoint(CloudTxn& txn, const BranchKey& branch, const FeedKind& feed) {
  return txn.meta(row_meta("import", branch, feed, "")).value_or("");
}

Result<std::uint64_t> import_rows(CloudTxn& txn, const BranchKey& branch, const ImportBatch& batch,
                                  std::int64_t now_ms) {
  const std::string& kind = batch.feed.kind;
  if (auto named = validate_row_kind(kind); !named) return tl::unexpected(named.error());
  for (const ImportRow& row : batch.rows) {
    if (auto named = validate_row_id(row.id); !named) return tl::unexpected(named.error());
  }
  if (kind == "conflict" || kind == "stock" || kind == "setting")
    return fail(ErrorKind::invalid, "rows of the kind '" + kind + "' are the cloud's own: they can't be imported");
  if (batch.to && batch.to->size() > kMaxCheckpointBytes)
    return fail(ErrorKind::invalid, "a checkpoint has 4,096 bytes at most");
  txn.lock_feed(branch, batch.feed.feed);
  if (batch.from && import_checkpoint(txn, branch, batch.feed) != *batch.from)
    return fail(ErrorKind::busy, "the checkpoint of kind '" + kind +
                                     "' has moved: another import is under way, or this was sent already; begin again "
                                     "from the checkpoint");
  RowWriter book(txn, branch, now_ms);
  txn.expect([&] {
    CloudReads reads;
    for (const ImportRow& row : batch.rows) {
      reads.rows.push_back({branch, batch.feed, row.id});
      reads.metas.push_back(authors_meta(branch, batch.feed, row.id));
      if (kind == "product") reads.metas.push_back(prices_meta(branch, batch.feed, row.id));
    }
    return reads;
  });
  std::uint64_t changed = 0;
  for (const ImportRow& row : batch.rows)
    changed += book.put({batch.feed, row.id, row.deleted, row.fields}, {}) ? 1 : 0;
  if (batch.to) txn.put_meta(row_meta("import", branch, batch.feed, ""), *batch.to);
  return changed;
}

}  // namespace tillsync
