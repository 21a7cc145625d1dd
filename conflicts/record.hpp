// A disagreement that people may have to settle: what it is about, the competing ops or versions side by side, what a
// policy decided, and what has been done about it. A record is a row of kind "conflict", so that every tier has it.
//
// Its life: suspected (an op that is still under way may explain it) -> open (confirmed: the frontier has passed it)
// -> resolved (by somebody, with a name and a reason). A suspected one that is explained closes by itself.
#pragma once

#include <string>
#include <tillsync/row.hpp>
#include <vector>

#include "storage/records.hpp"

namespace tillsync {

constexpr char kConflictKind[] = "conflict";
inline FeedKind conflict_feed(const BranchId& branch) { return {"branch/" + branch.text, kConflictKind}; }

enum class ConflictState : std::uint8_t { suspected = 0, open = 1, resolved = 2, closed = 3 };
const char* name_of(ConflictState state);

// One of those that compete.
struct ConflictSide {
  StockPlace place;  // of the op: when, which till, which history, which number
  std::string key, cashier;
  std::string what;        // in words: "sold 2 at 3.50"
  std::int64_t milli = 0;  // what it did to the stock
  std::int64_t money = 0;  // minor units
  template <class A>
  void fields(A& a) {
    a(place, key, cashier, what, milli, money);
  }
};

struct ConflictStep {
  std::int64_t at_ms = 0;
  std::string who;  // empty: by itself
  std::string what, reason;
  template <class A>
  void fields(A& a) {
    a(at_ms, who, what, reason);
  }
};

struct Conflict {
  std::string id;       // stable: the same disagreement found twice is one conflict
  std::string kind;     // below_zero, duplicate_key, forked_history, two_grants
  std::string subject;  // a sku, a key, a till
  ConflictState state = ConflictState::open;
  std::optional<StockPlace> place;  // of a suspected one: confirmed when the frontier has passed it
  std::int64_t at_ms = 0;           // when it was found
  std::int64_t money = 0;           // at stake, minor units
  std::string currency;
  std::string summary;  // one sentence
  std::vector<ConflictSide> sides;
  std::vector<ConflictStep> history;
  template <class A>
  void fields(A& a) {
    a(id, kind, subject, state, place, at_ms, money, currency, summary, sides, history);
  }

  bool waits() const { return state == ConflictState::suspected || state == ConflictState::open; }
};

}  // namespace tillsync
