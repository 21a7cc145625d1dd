// Feeds and their counters, as one transaction sees them. A feed has one counter, which gives each of its rows a
// version, and of each kind of rows a record. A writer holds the counter's row; of a branch's own feed it holds the
// branch instead. Changes are gathered until flush().
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "storage/postgres/branch_table.hpp"

namespace tillsync::postgres {

class FeedTable {
 public:
  struct Feed {  // of one kind of rows
    std::int64_t id = 0;
    FeedRecord record;
    bool changed = false;
    bool fresh = false;  // made in this transaction: all its rows are known here
  };
  struct Name {
    BranchKey branch;  // the one that asks
    std::string feed;
    bool operator==(const Name&) const = default;
  };
  using Ids = std::vector<std::int64_t>;  // of feeds

  FeedTable(Session& session, const BranchTable& branches) : session_(session), branches_(branches) {}

  // Reads them at once.
  void expect(const std::vector<Name>& wanted);
  // Nobody else writes it until the transaction ends. Returns the feeds of which something was read before: it may be
  // old, here it is forgotten.
  [[nodiscard]] Ids lock(const BranchKey& branch, const std::string& feed);
  // Likewise, of the feed of a branch that is held from now on.
  [[nodiscard]] Ids forget(const BranchKey& branch);

  Feed* find(const BranchKey& branch, const FeedKind& feed);  // null: it has no rows yet
  std::vector<std::string> kinds(const BranchKey& branch, const std::string& feed);
  FeedRecord record(const BranchKey& branch, const FeedKind& feed);

  // Both of a feed that was locked.
  Feed& to_change(const BranchKey& branch, const FeedKind& feed);
  RowVersion next_version(const BranchKey& branch, const std::string& feed);

  void flush();

 private:
  using Key = std::pair<std::string, std::string>;  // tenant, feed
  struct Entry {
    bool locked = false, counted = false;
    std::optional<RowVersion> last;  // none: it has no counter yet
    std::map<std::string, Feed> kinds;
  };

  Entry& entry(const BranchKey& branch, const std::string& feed);
  Ids forget(const Key& key);
  bool held_by_branch(const BranchKey& branch, const std::string& feed) const;

  Session& session_;
  const BranchTable& branches_;
  std::map<Key, Entry> feeds_;
};

}  // namespace tillsync::postgres
