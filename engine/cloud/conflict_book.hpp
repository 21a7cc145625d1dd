// The conflicts of one branch, inside a transaction of the cloud: rows of kind "conflict", which the tills read like
// any other.
#pragma once

#include <string>
#include <vector>

#include "conflicts/record.hpp"
#include "engine/stock/ledger.hpp"
#include "storage/cloud_store.hpp"

namespace tillsync {

class ConflictBook {
 public:
  ConflictBook(CloudTxn& txn, const Shop& shop, std::int64_t now_ms) : txn_(txn), shop_(shop), now_ms_(now_ms) {}

  static std::vector<Conflict> all(CloudTxn& txn, const Shop& shop);  // by when they last changed
  std::optional<Conflict> find(const std::string& id);

  bool raise(Conflict conflict);  // false: it is known already
  // What a product's timeline looks like now: new dips are suspected, suspected ones that are gone close by themselves.
  void compare(const std::string& sku, const Ledger::Change& change);
  // An op that the cloud holds; of a re-dated one `place` says when it was.
  ConflictSide side_of(const StockPlace& place, const std::optional<std::string>& sku = {});
  void confirm(Hlc frontier, const std::vector<TillId>& without);
  void write();  // once, at the end

  std::uint64_t raised() const { return raised_; }
  bool changed() const { return changed_; }

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
  Conflict dip_of(const std::string& sku, const Dip& dip);
  void put(const Conflict& conflict);

  CloudTxn& txn_;
  Shop shop_;
  std::int64_t now_ms_;
  std::optional<std::vector<Suspect>> suspects_;
  bool suspects_changed_ = false, changed_ = false;
  std::uint64_t raised_ = 0;
};

}  // namespace tillsync
