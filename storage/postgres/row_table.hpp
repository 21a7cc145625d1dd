// Rows of feeds, deleted ones among them (tombstones), as one transaction sees them. Rows that change are gathered and
// sent before a range of rows is read, and at flush(). Each kind keeps a number of its newest tombstones: when there
// are twice as many, the older half goes.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/postgres/feed_table.hpp"

namespace tillsync::postgres {

class RowTable {
 public:
  RowTable(Session& session, FeedTable& feeds) : session_(session), feeds_(feeds) {}

  // Reads them at once.
  void expect(const std::vector<CloudReads::RowName>& wanted);
  std::optional<Row> find(const BranchKey& branch, const FeedKind& feed, const std::string& id);
  // Ascending by version, until `visit` returns false.
  void read_after(const BranchKey& branch, const FeedKind& feed, RowVersion after,
                  const std::function<bool(const Row&)>& visit);
  // Gives it the feed's next version. The feed is locked.
  void put(const BranchKey& branch, const CloudRow& change);
  void forget(const FeedTable::Ids& feeds);  // what was read of them

  void flush();

 private:
  using Key = std::pair<std::int64_t, std::string>;  // the feed's id, and the row's as the table has it

  void drop_older_tombstones(FeedTable::Feed& feed);

  Session& session_;
  FeedTable& feeds_;
  std::map<Key, std::optional<Row>> rows_;
  std::set<Key> changed_;
};

}  // namespace tillsync::postgres
