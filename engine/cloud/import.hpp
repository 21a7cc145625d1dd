// Rows that headquarters gives the cloud, a batch a transaction. With each batch the checkpoint of its kind moves, so
// that whoever sends knows where to go on: after a crash, of either side, or a restore of the cloud from a backup.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/model/cloud_store.hpp"

namespace tillsync {

struct ImportRow {
  std::string id;
  bool deleted = false;
  Bytes fields;  // a MessagePack map
};

struct ImportBatch {
  FeedKind feed;
  std::vector<ImportRow> rows;
  // Where the sender believes the checkpoint to be, and where it is afterwards: its own words. Without, none is moved.
  std::optional<std::string> from, to;
};

constexpr std::size_t kMaxCheckpointBytes = 4096;

// How many rows changed. Errors: busy, when the checkpoint is not where the sender believes: two send at once, or it
// has sent this batch already; invalid.
Result<std::uint64_t> import_rows(CloudTxn& txn, const BranchKey& branch, const ImportBatch& batch,
                                  std::int64_t now_ms);

std::string import_checkpoint(CloudTxn& txn, const BranchKey& branch, const FeedKind& feed);  // empty at the beginning

}  // namespace tillsync
