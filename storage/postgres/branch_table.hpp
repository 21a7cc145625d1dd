// Branches and the chains of their tills, as one transaction sees them: which branches it holds, and where each chain
// ends. A writer holds the branches that it changes by their rows (FOR UPDATE). What is read is remembered; chains that
// change are gathered until flush().
#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "storage/postgres/session.hpp"

namespace tillsync::postgres {

class BranchTable {
 public:
  struct Chain {
    std::int64_t id = 0;
    ChainPoint point;
    bool changed = false;
    Seq ops_put;  // up to here its ops are in their table, or on their way there
  };

  explicit BranchTable(Session& session) : session_(session) {}

  // Reads them at once.
  void expect(const std::vector<BranchKey>& branches);
  // Makes those that do not exist. Returns those that were not held before: what was read of them may be old.
  std::vector<BranchKey> lock(const std::vector<BranchKey>& branches);
  bool holds(const BranchKey& branch) const;

  std::int64_t id(const BranchKey& branch);            // 0: there is no such branch
  std::int64_t id_to_change(const BranchKey& branch);  // ends the transaction if the branch is not held
  const std::map<ChainId, Chain>& chains(const BranchKey& branch);
  Chain& chain_to_change(const BranchKey& branch, const ChainId& chain);  // makes it if there is none; likewise

  // Of chains that have ops.
  std::vector<std::pair<ChainId, ChainPoint>> points(const BranchKey& branch);
  std::optional<ChainPoint> point(const BranchKey& branch, const ChainId& chain);
  void put_point(const BranchKey& branch, const ChainId& chain, const ChainPoint& point);
  std::vector<BranchKey> with_chains();  // every branch that has one

  void flush();

 private:
  struct Entry {
    std::int64_t id = 0;
    bool locked = false, chains_known = false;
    std::map<ChainId, Chain> chains;
  };

  Entry& entry(const BranchKey& branch);
  Entry& held(const BranchKey& branch);
  Entry& with_chains_of(const BranchKey& branch);
  void note_ids(const std::optional<Rows>& rows);

  Session& session_;
  std::map<BranchKey, Entry> branches_;
  std::pair<BranchKey, Entry*> last_{{}, nullptr};  // most calls are about the same branch
};

}  // namespace tillsync::postgres
