// Ops and the keys that make them idempotent, as one transaction sees them. New ops are gathered and sent in bulk: when
// there are many, before ops are read, and at flush(). An applied op's key is unique in its branch.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/postgres/branch_table.hpp"

namespace tillsync::postgres {

class OpTable {
 public:
  OpTable(Session& session, BranchTable& branches) : session_(session), branches_(branches) {}

  // Ascending from `from`, until `visit` returns false.
  void read(const BranchKey& branch, const ChainId& chain, Seq from, const std::function<bool(const CloudOp&)>& visit);
  // Past the chain's last op an op is new; one before it replaces what was there.
  void put(const BranchKey& branch, const Op& op, ByteView bytes, OpEffect effect);

  void expect_keys(const std::vector<CloudReads::KeysOf>& wanted);
  std::optional<CloudKey> find_key(const BranchKey& branch, const std::string& key);
  // Of an op that is about to be put. Finds nothing where keys are trusted to be new.
  std::optional<CloudKey> claim_key(const BranchKey& branch, const std::string& key);
  bool met_old_keys() const { return met_old_keys_; }  // among those that were claimed
  void forget_keys(const BranchKey& branch);           // that were read

  void flush();

 private:
  using Keys = std::unordered_map<std::string, std::optional<CloudKey>>;  // as the table has them
  struct Batch {
    Column chains{kBigint}, seqs{kBigint}, branches{kBigint}, effects{kBigint}, keys{kBytes}, bodies{kBytes};
    std::size_t bytes = 0;
    void add(std::int64_t chain, Seq seq, std::int64_t branch, OpEffect effect, ByteView key, ByteView body);
    void send(Session& session, const Statement& statement);
  };
  struct Changed {
    std::int64_t branch;
    OpEffect effect;
    std::string key;
    Bytes body;
  };

  Session& session_;
  BranchTable& branches_;
  std::unordered_map<std::int64_t, Keys> keys_;  // by the branch's id
  bool met_old_keys_ = false;
  Batch new_;
  std::map<std::pair<std::int64_t, Seq>, Changed> changed_;  // by the chain's id
};

}  // namespace tillsync::postgres
