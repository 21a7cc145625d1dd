// The cloud's part in the leases of its branches, inside a transaction: its vote where a roster gives it one, the
// highest exclusive term that it knows, and what only an exclusive holder may do (fencing).
//
// Its promise is one row of the database, changed in the transaction that the grant waits for. Any process may serve a
// branch: one that has not written the row as it stands overrides it only after watching it unchanged for as long as
// the promise lasts, on its own clock. So neither a restart nor a second process breaks a promise.
//
// The clock is asked after the row was read, in the same transaction: a job may have waited long for a database that
// was away, and what was written meanwhile is not watched for that long.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <tillsync/time.hpp>

#include "engine/wire/messages.hpp"
#include "lease/grantor.hpp"
#include "storage/model/branch_key.hpp"

namespace tillsync {

class CloudTxn;

// What the cloud remembers of a branch's lease.
struct LeaseRecord {
  std::uint64_t epoch = 0;         // of the roster under which `term` was seen
  Term term;                       // the highest exclusive one
  std::optional<TillId> holder;    // in it
  std::optional<Promise> promise;  // as witness
  std::uint64_t revision = 0;      // rises whenever the promise is written
  template <class A>
  void fields(A& a) {
    a(epoch, term, holder, promise, revision);
  }
  // Of a record that went back in time: as it may be by now, at most. Where the cloud votes, who hosts is elected anew
  // beyond these terms; elsewhere its first certificate tells the cloud.
  LeaseRecord forgotten() const;
  bool outranks(std::uint64_t other_epoch, Term other) const {
    return epoch != other_epoch ? epoch > other_epoch : term > other;
  }
};

LeaseRecord lease_record(CloudTxn& txn, const BranchKey& branch);

// What a voter or holder says, which the core has found to be sound: signed, of this branch, by its roster.
struct LeaseAsk {
  Message what;       // PreVote, RequestGrant, Release, Announce or Command
  TillId from, self;  // `self`: this cloud's name in the roster
  std::uint64_t roster_version = 0, epoch = 0;
};

using LeaseClock = std::function<Instant()>;  // reads it now

class Witness {
 public:
  // Once for each ask of a transaction; then committed(), or begin() when it starts again.
  void begin() { staged_.clear(); }
  // The answer, if there is one; a Grant is signed by the core, when it goes out.
  std::optional<Message> on_ask(CloudTxn& txn, const BranchKey& branch, const LeaseAsk& ask, const LeaseClock& clock);
  void committed();

 private:
  struct Watch {
    std::uint64_t revision = 0;
    Instant bound_until;
  };
  Instant bound_until(const BranchKey& branch, const LeaseRecord& record, Instant now);
  std::optional<Refusal> refusal(const BranchKey& branch, const LeaseRecord& record, const Ballot& ballot, Instant now);
  Message pre_vote(CloudTxn& txn, const BranchKey& branch, const LeaseAsk& ask, const Ballot& ballot,
                   const LeaseClock& clock);
  Message request(CloudTxn& txn, const BranchKey& branch, const LeaseAsk& ask, const Ballot& ballot,
                  const LeaseClock& clock);
  void release(CloudTxn& txn, const BranchKey& branch, const LeaseAsk& ask, Term term, const LeaseClock& clock);
  Message command(CloudTxn& txn, const BranchKey& branch, const LeaseAsk& ask, const Command& command);
  void promise(CloudTxn& txn, const BranchKey& branch, LeaseRecord record, const Promise& promise, Instant now);

  std::map<BranchKey, Watch> watched_, staged_;
};

}  // namespace tillsync
