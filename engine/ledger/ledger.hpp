// The cloud's fold of one product's stock timeline, and where it dips below zero. The newest event costs O(1). One that
// lands earlier folds again from the mark before it, never the whole history: marks lie kMarkEvery events apart.
//
// A product is kept in stock from its first count or delivery on: what was only ever sold dips nowhere.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "storage/model/records.hpp"

namespace tillsync {

// A stretch of the timeline in which more had gone than there was, from the op that went below zero on.
struct Dip {
  StockPlace from;
  std::int64_t lowest = 0;        // thousandths, negative
  std::vector<StockPlace> sides;  // the last ops that took from the stock before it went below, and those after
  bool operator==(const Dip&) const = default;
  template <class A>
  void fields(A& a) {
    a(from, lowest, sides);
  }
};

class Ledger {
 public:
  static constexpr std::size_t kMarkEvery = 256;
  static constexpr std::size_t kMaxSides = 8;

  using Events = std::function<std::vector<StockEvent>(const StockPlace& after)>;  // sorted, with those being added

  struct Change {
    StockPlace since;       // dips that began here or later are these, and no others
    std::vector<Dip> dips;  // of that stretch
  };
  // What add() will ask `events` for, if it will.
  std::optional<StockPlace> folds_from(const StockPlace& first) const;
  // Adds events that `events` knows already, in order; `first`: the earliest place where anything came or went.
  Change add(const std::vector<StockEvent>& fresh, const StockPlace& first, const Events& events);

  std::int64_t milli() const { return now_.milli; }
  bool kept() const { return now_.kept; }
  const std::optional<StockPlace>& last_count() const { return now_.last_count; }

  template <class A>
  void fields(A& a) {
    a(now_, newest_, since_mark_, marks_);
  }

 private:
  struct State {
    std::int64_t milli = 0;
    bool kept = false;
    std::optional<StockPlace> last_count;
    std::vector<StockPlace> took;  // the last that took from the stock, oldest first
    std::optional<Dip> dip;        // in progress
    template <class A>
    void fields(A& a) {
      a(milli, kept, last_count, took, dip);
    }
  };
  struct Mark {
    StockPlace place;
    State state;
    template <class A>
    void fields(A& a) {
      a(place, state);
    }
  };
  void apply(const StockEvent& event, std::vector<Dip>& ended);

  State now_;
  StockPlace newest_;
  std::uint64_t since_mark_ = 0;
  std::vector<Mark> marks_;  // each after that event
};

}  // namespace tillsync
