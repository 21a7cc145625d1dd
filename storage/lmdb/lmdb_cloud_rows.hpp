// A cloud's rows in LMDB: each feed's lie in the order of their versions, so what has changed lies together, and where
// a row is stands beside its id. Tables: kTables; docs/file-formats.md.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <tillsync/row.hpp>
#include <vector>

#include "storage/lmdb/lmdb_env.hpp"
#include "storage/model/cloud_store.hpp"
#include "storage/model/store_key.hpp"

namespace tillsync {

class LmdbCloudRows {
 public:
  static const std::vector<std::string>& tables();

  // `kept`: tombstones of a feed and kind that are remembered at least. Without `write` it only reads.
  LmdbCloudRows(lmdb::Env& env, lmdb::Txn& txn, lmdb::WriteTxn* write, std::uint64_t generation, std::uint64_t kept)
      : env_(env), txn_(txn), write_(write), generation_(generation), kept_(kept) {}

  std::optional<Row> row(const BranchKey& shop, const FeedKind& feed, const std::string& id);
  void after(const BranchKey& shop, const FeedKind& feed, RowVersion after,
             const std::function<bool(const Row&)>& visit);
  std::vector<std::string> kinds(const BranchKey& shop, const std::string& feed);
  FeedRecord feed(const BranchKey& shop, const FeedKind& feed);
  void put(const BranchKey& shop, const CloudRow& change);  // as the feed's newest

  // Databases that were made before had them by id; once, when one is opened.
  void move_older();

 private:
  void place(const StoreKey& feed, const Row& row);
  void forget_tombstones(const StoreKey& feed, FeedRecord& record);

  lmdb::Env& env_;
  lmdb::Txn& txn_;
  lmdb::WriteTxn* write_;
  std::uint64_t generation_;
  std::uint64_t kept_;
};

}  // namespace tillsync
