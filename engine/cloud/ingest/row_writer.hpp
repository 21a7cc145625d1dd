// The rows that the cloud owns, inside one of its transactions: who made a field what it is, and what a product cost
// before. Both are kept only where somebody will ask: fields that tills edited, prices that were replaced.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "conflicts/merge.hpp"
#include "conflicts/record.hpp"
#include "storage/model/cloud_store.hpp"

namespace tillsync {

struct RowAuthor {
  StockPlace place;  // of the edit; no till: headquarters
  std::string key, cashier;
  Binary was;  // what he had seen in the field
  template <class A>
  void fields(A& a) {
    auto at = place.till.empty() ? std::nullopt : std::optional(place);
    a(at, key, cashier, was);
    if (at) place = *at;
  }
};

struct OldPrice {
  std::int64_t price = 0;     // minor units
  std::int64_t until_ms = 0;  // when it was replaced
  template <class A>
  void fields(A& a) {
    a(price, until_ms);
  }
};

class RowWriter {
 public:
  static constexpr std::size_t kPricesKept = 16;
  static constexpr std::int64_t kClockErrorMs = 2000;  // of tills that know the time

  RowWriter(CloudTxn& txn, BranchKey branch, std::int64_t now_ms)
      : txn_(txn), branch_(std::move(branch)), now_ms_(now_ms) {}

  // A row that is so already keeps its version: readers are sent only what changed. True: changed.
  bool put(const CloudRow& row, const RowAuthor& author);
  // Where the row is that counts in this branch: one of its groups', or the tenant's.
  FeedKind feed_of(const std::string& kind, const std::string& id);
  std::optional<CurrentRow> current(const FeedKind& feed, const std::string& id);
  // What is in a field now (in the row as a whole, when it is empty), and who put it there.
  ConflictSide side_there(const RowField& where);
  bool set(const RowField& where, const Binary& value, const RowAuthor& author);

  struct Replaced {
    std::int64_t price = 0;     // today's
    std::int64_t since_ms = 0;  // when the old one was replaced
  };
  // Whether `price` had been replaced when it was taken, at `at_ms`.
  std::optional<Replaced> replaced(const std::string& sku, std::int64_t price, std::int64_t at_ms);

 private:
  void remember_price(const FeedKind& feed, const std::string& id, const RowFields& before, const RowFields& after);

  CloudTxn& txn_;
  BranchKey branch_;
  std::int64_t now_ms_;
  struct Prices {
    std::vector<OldPrice> old;
    std::int64_t now = 0;
  };
  std::unordered_map<std::string, Prices> prices_;
  std::optional<std::vector<std::string>> groups_;  // of the branch
};

}  // namespace tillsync
