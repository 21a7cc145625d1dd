// The database's side of one transaction: the connection, and the first fault. After a fault nothing more is sent and
// everything reads as empty; whoever owns the transaction looks at fault() at the end, and rolls back.
//
//   Session session(db, writes, options);
//   session.begin();
//   auto rows = session.run(kFind, Values().add(id));  // nothing after a fault
//   session.commit();
//   if (session.fault()) session.roll_back();
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/model/cloud_store.hpp"
#include "storage/postgres/connection.hpp"

namespace tillsync::postgres {

struct CloudTxnOptions {
  std::uint64_t generation = 0;
  std::uint64_t tombstones_kept = kTombstonesKept;
  std::string process;       // the one that announces the changes
  bool trusts_keys = false;  // that are claimed; if one is not new, the transaction ends with Fault::Kind::taken
};

class Session {
 public:
  Session(Connection& db, bool writes, CloudTxnOptions options);

  void begin();
  // Waits for all that was sent, then commits unless there was a fault.
  void commit();
  void roll_back();

  // Queued: carried out in order, before the next run() or sync() returns.
  void send(const Statement& statement, const Values& values);
  // The rows of this statement.
  std::optional<Rows> run(const Statement& statement, const Values& values);
  // The rows of all that was sent since the last time.
  std::vector<Rows> sync();
  // A caller that breaks the store's rules ends its transaction, not the process.
  void bug(const std::string& what);

  bool writes() const { return writes_; }
  const CloudTxnOptions& options() const { return options_; }
  const std::optional<Fault>& fault() const { return fault_; }
  bool commit_sent() const { return commit_sent_; }  // then a lost connection leaves the outcome open

 private:
  void fail_with(Fault fault);

  Connection& db_;
  bool writes_, commit_sent_ = false;
  CloudTxnOptions options_;
  std::optional<Fault> fault_;
};

}  // namespace tillsync::postgres
