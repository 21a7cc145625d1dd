// A disagreement that people may have to settle: what it is about, the competing ops or versions side by side, what a
// policy decided, and what has been done about it. A record is a row of kind "conflict", so that every tier has it.
//
// Its life: suspected (an op that is still under way may explain it) -> open (confirmed: the frontier has passed it)
// -> resolved (by somebody, with a name and a reason). A suspected one that is explained closes by itself.
#pragma once

#include <string>
#include <tillsync/row.hpp>
#include <vector>

#include "storage/model/records.hpp"

namespace tillsync {

constexpr char kConflictKind[] = "conflict";
// Those about rows that branches share are the tenant's, all others their branch's.
inline FeedKind conflict_feed(const BranchId& branch, const std::string& id = {}) {
  return {id.starts_with("row/") ? "tenant" : "branch/" + branch.text, kConflictKind};
}

enum class ConflictState : std::uint8_t { suspected = 0, open = 1, resolved = 2, closed = 3 };
const char* name_of(ConflictState state);

// What somebody's word changes: a product's stock by so much, at a price.
struct ConflictMove {
  std::string sku;
  std::int64_t milli = 0;
  std::int64_t unit_price = 0;
  bool operator==(const ConflictMove&) const = default;
  template <class A>
  void fields(A& a) {
    a(sku, milli, unit_price);
  }
};

// One of those that compete.
struct ConflictSide {
  StockPlace place;  // of the op: when, which till, which history, which number; no till: headquarters, or nobody
  std::string key, cashier;
  std::string what;                 // in words: "sold 2 at 3.50"
  std::int64_t milli = 0;           // what it did to the stock
  std::int64_t money = 0;           // minor units
  std::vector<ConflictMove> moves;  // what it would change if it took effect; empty when that is no question
  Binary was, value;                // of an edit: the MessagePack value that its author saw, and the one he gave
  template <class A>
  void fields(A& a) {
    auto at = place.till.empty() ? std::nullopt : std::optional(place);
    a(at, key, cashier, what, milli, money, moves, was, value);
    if (at) place = *at;
  }
};

// A field of a row that the cloud owns; the row as a whole when `field` is empty.
struct RowField {
  std::string feed, kind, id, field;
  template <class A>
  void fields(A& a) {
    a(feed, kind, id, field);
  }
};

// Somebody's word on it, in effect.
struct Settlement {
  std::string choice, by;
  StockPlace op;
  std::vector<ConflictMove> moves;
  template <class A>
  void fields(A& a) {
    a(choice, by, op, moves);
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
  std::string kind;     // below_zero, duplicate_key ...: docs/conflicts.md has all
  std::string subject;  // a sku, a key, a till
  ConflictState state = ConflictState::open;
  std::optional<StockPlace> place;  // of a suspected one: confirmed when the frontier has passed it
  std::int64_t at_ms = 0;           // when it was found
  std::int64_t money = 0;           // at stake, minor units
  std::string currency;
  std::string summary;  // one sentence
  std::vector<ConflictSide> sides;
  std::vector<ConflictStep> history;
  std::string branch;  // where it was found
  std::string rule;    // of the policies: why people are asked, or not
  std::optional<RowField> row;
  std::optional<Settlement> settlement;
  template <class A>
  void fields(A& a) {
    a(id, kind, subject, state, place, at_ms, money, currency, summary, sides, history, branch, rule, row, settlement);
  }

  bool waits() const { return state == ConflictState::suspected || state == ConflictState::open; }
};

}  // namespace tillsync
