// What stores keep besides ops and rows. Each lists its fields once; that is its encoding too (storage/base/pack.hpp).
#pragma once

#include <optional>
#include <tillsync/op.hpp>
#include <tillsync/row.hpp>
#include <vector>

#include "storage/base/later.hpp"
#include "storage/model/journal_position.hpp"

namespace tillsync {

// The body of a clock_correction op: stamps of these ops of its till were wrong by so much.
struct Correction {
  Incarnation incarnation;  // a fork may have come between the ops and their correction
  Seq from, to;
  std::int64_t offset_ms = 0;
  template <class A>
  void fields(A& a) {
    a(incarnation, from, to, offset_ms);
  }
  bool covers(const ChainId& chain, Seq seq) const {
    return chain.incarnation == incarnation && from <= seq && seq <= to;
  }
  Hlc applied(Hlc hlc) const { return Hlc{hlc.value + (static_cast<std::uint64_t>(offset_ms) << 16)}; }
};

// A place in a chain and the hash that proves which chain: never a bare number.
struct ChainPoint {
  Seq seq;
  Hash hash;
  auto operator<=>(const ChainPoint&) const = default;
  template <class A>
  void fields(A& a) {
    a(seq, hash);
  }
};

// A till learns that its history forked, opens a new incarnation, and re-issues what nobody else has.
struct ForkState {
  Incarnation old_incarnation;
  ChainPoint old_end;   // of this disk's branch of the old history
  ChainPoint agreed;    // up to here both are known to agree
  Seq split;            // first op that the two do not share, once known; ours from here on are re-issued
  Seq next_to_reissue;  // in the old incarnation
  ChainPoint adopted;   // the other branch's ops fetched back into the vault, up to here
  ChainPoint in_cloud;  // when it began; what the host agrees to need not be there
  template <class A>
  void fields(A& a) {
    a(old_incarnation, old_end, agreed, split, next_to_reissue, adopted, in_cloud);
  }
};

struct OldChain {
  Incarnation incarnation;
  ChainPoint last;
  ChainPoint cloud;
  template <class A>
  void fields(A& a) {
    a(incarnation, last, cloud);
  }
};

struct TillState {
  Incarnation incarnation;
  ChainPoint last;  // the last op in LMDB
  Hlc hlc;
  JournalPosition checkpoint;        // the journal before this is in LMDB
  ChainPoint cloud;                  // held by the cloud, of the current incarnation
  std::vector<OldChain> old_chains;  // earlier incarnations that the cloud does not hold whole yet
  std::int64_t clock_offset_ms = 0;
  std::vector<ForkState> forks;  // the newest last; settled from there
  std::uint64_t forks_seen = 0;
  std::uint64_t duplicates_closed = 0;
  std::vector<Incarnation> lost;  // histories of which others told, and that are not on this disk
  Later<ChainPoint> let_go{};     // of the current incarnation: the vault has no op up to here any more
  template <class A>
  void fields(A& a) {
    a(incarnation, last, hlc, checkpoint, cloud, old_chains, clock_offset_ms, forks, forks_seen, duplicates_closed,
      lost, let_go);
  }
};

// What a receiver holds of another till's history.
struct ChainRecord {
  ChainPoint base;  // ops up to here are not held, only vouched for
  ChainPoint held;
  ChainPoint cloud;
  bool forked = false;
  template <class A>
  void fields(A& a) {
    a(base, held, cloud, forked);
  }
};

// A history up to an op: what a stock row contains of it, what all of them have settled, what somebody has seen.
struct ChainUpTo {
  static constexpr Seq kClosed{~std::uint64_t{0}};  // settled whole: its till has gone on in a newer incarnation
  TillId till;
  Incarnation incarnation;
  Seq seq;
  template <class A>
  void fields(A& a) {
    a(till, incarnation, seq);
  }
  ChainId chain() const { return {till, incarnation}; }
};

// Where an op stands in its branch's one order.
struct StockPlace {
  Hlc hlc;
  TillId till;
  Incarnation incarnation;
  Seq seq;
  auto operator<=>(const StockPlace&) const = default;
  template <class A>
  void fields(A& a) {
    a(hlc, till, incarnation, seq);
  }
};

// What one op does to one product's stock: a delta, or a count that sets it.
struct StockEvent {
  Hlc hlc;
  ChainId chain;
  Seq seq;
  bool is_count = false;
  std::int64_t milli = 0;
  bool stocked = false;  // a delivery, transfer, adjustment or count: the product is kept in stock
  auto operator<=>(const StockEvent&) const = default;
  StockPlace place() const { return {hlc, chain.till, chain.incarnation, seq}; }
};

// The cloud's stock row: the quantity and, for each history that ever touched the product, the last op contained in it.
struct StockRow {
  std::int64_t milli = 0;
  std::optional<StockPlace> last_count;
  std::vector<ChainUpTo> contained;  // sorted by till, incarnation
  bool kept = false;                 // in stock: ever counted or delivered
  template <class A>
  void fields(A& a) {
    a(milli, last_count, contained, kept);
  }

  // What came before the last count is in it, wherever and whenever it arrives.
  bool counted(const StockEvent& event) const { return last_count && event.place() < *last_count; }
  Seq contained_of(const ChainId& chain) const {
    for (const ChainUpTo& c : contained) {
      if (c.chain() == chain) return c.seq;
    }
    return {};
  }
};

// A live row's part in its feed's running checksum; a tombstone has none. Sums wrap, so order does not matter.
std::uint64_t live_sum(const Row& row);

// A till's stock of one product as it believes it: the cloud's row and the events that the row does not contain yet.
struct StockProjection {
  std::int64_t milli = 0;
  bool has_count = false;  // among those events: then their order matters
  template <class A>
  void fields(A& a) {
    a(milli, has_count);
  }
};

// How far a reader of rows has got, and the sum of the live rows' checksums at that point.
struct FeedRecord {
  RowWatermark watermark;
  std::uint64_t live_sum = 0;
  RowVersion horizon;            // tombstones up to here may be gone: who has read less far gets a snapshot
  std::uint64_t tombstones = 0;  // kept, at the cloud
  template <class A>
  void fields(A& a) {
    a(watermark.generation, watermark.version, live_sum, horizon, tombstones);
  }
};

}  // namespace tillsync
