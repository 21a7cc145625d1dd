// The conflicts of one branch, inside a transaction of the cloud: rows of kind "conflict", which the tills read like
// any other.
#pragma once

#include <map>

#include <string>
#include <vector>

#include "conflicts/policy.hpp"
#include "conflicts/record.hpp"
#include "engine/ledger/ledger.hpp"
#include "storage/model/cloud_store.hpp"

namespace tillsync {

class ConflictBook {
 public:
  ConflictBook(CloudTxn& txn, const BranchKey& branch, std::int64_t now_ms, const Policies& policies)
      : txn_(txn), branch_(branch), now_ms_(now_ms), policies_(policies) {}

  // The branch's, and those about rows that the tenant's branches share; each by when they last changed.
  static std::vector<Conflict> all(CloudTxn& txn, const BranchKey& branch);
  std::optional<Conflict> find(const std::string& id);

  bool raise(Conflict conflict);  // false: it is known already
  // As raise(), of one that grows: a known one that nobody has settled gets what is new.
  void raise_or_refresh(Conflict conflict);
  void close(const std::string& id, const std::string& why);  // by itself, if it waits
  void add_step(Conflict& conflict, const std::string& who, const std::string& what, const std::string& reason = {});
  void put(const Conflict& conflict);
  void settled(const Conflict& conflict);  // put(), and nothing of it is suspected any more
  // What a product's timeline looks like now: new dips are suspected, suspected ones that are gone close by themselves.
  void compare(const std::string& sku, const Ledger::Change& change);
  std::optional<Op> op_at(const StockPlace& place);
  // An op that the cloud holds, to one product or whole; of a re-dated one `place` says when it was.
  ConflictSide side_of(const StockPlace& place, const std::optional<std::string>& sku = {});
  void confirm(Hlc frontier, const std::vector<TillId>& without);
  struct Sums {
    std::uint64_t raised = 0;
    std::map<std::string, std::int64_t> waiting;  // how the number of the branch's that wait has changed, by kind
  };
  Sums write();  // once, at the end

 private:
  struct Suspect {
    StockPlace place;
    std::string id, subject;
    template <class A>
    void fields(A& a) {
      a(place, id, subject);
    }
  };
  std::vector<Suspect>& suspects();
  void suspect(const Conflict& conflict);
  void refresh(Conflict& known, const Conflict& now);
  void decide(Conflict& conflict);  // by the policies, once it is open
  Conflict dip_of(const std::string& sku, const Dip& dip);

  CloudTxn& txn_;
  BranchKey branch_;
  std::int64_t now_ms_;
  const Policies& policies_;
  std::optional<std::vector<Suspect>> suspects_;
  bool suspects_changed_ = false;
  std::uint64_t raised_ = 0;
  std::map<std::string, std::int64_t> waiting_changed_[2];  // the branch's; those about rows that branches share
};

}  // namespace tillsync
