// Histories up: what a till has, what a receiver holds of it, and the ops in between. Types, fields and who says
// them when are documented in docs/wire-protocol.md.
#pragma once

#include <tillsync/op.hpp>
#include <vector>

#include "lease/keys.hpp"
#include "storage/base/later.hpp"
#include "storage/model/records.hpp"

namespace tillsync {

constexpr std::size_t kMaxBatchBytes = 256 * 1024;  // of ops in one Push or Fetched
constexpr std::size_t kMaxBatchOps = 1000;          // likewise
constexpr std::uint32_t kBusySince = 2;  // the protocol version that has Busy; an older peer is let go instead

struct WireChain {
  TillId till;
  Incarnation incarnation;
  template <class A>
  void fields(A& a) {
    a(till, incarnation);
  }
  ChainId id() const { return {till, incarnation}; }
  static WireChain of(const ChainId& chain) { return {chain.till, chain.incarnation}; }
};

// "I have this chain up to `last`; as far as I know the cloud holds it up to `cloud`."
struct HistoryOffer {
  static constexpr std::uint64_t kType = 10;
  WireChain chain;
  ChainPoint last;
  ChainPoint cloud;
  template <class A>
  void fields(A& a) {
    a(chain, last, cloud);
  }
};

// The answer to HistoryOffer and Push: a watermark with its proof. A gap is answered by the watermark to send again
// from.
struct Ack {
  static constexpr std::uint64_t kType = 11;
  WireChain chain;
  Level level = Level::own_disk;
  ChainPoint point;
  // When a till says what the cloud holds: the generation of the cloud that it heard this of, if it knows.
  Later<std::uint64_t> generation{};
  template <class A>
  void fields(A& a) {
    a(chain, level, point, generation);
  }
};

struct Push {
  static constexpr std::uint64_t kType = 12;
  WireChain chain;
  Seq first;
  std::vector<Binary> ops;
  Binary signature;  // by the chain's till, over the hash of the last op: the chain behind it is covered
  template <class A>
  void fields(A& a) {
    a(chain, first, ops, signature);
  }
};

struct Fetch {
  static constexpr std::uint64_t kType = 13;
  WireChain chain;
  Seq from;
  template <class A>
  void fields(A& a) {
    a(chain, from);
  }
};

// Ops from `from` on, fewer than asked when the page is full; none when the sender has no more.
struct Fetched {
  static constexpr std::uint64_t kType = 14;
  WireChain chain;
  Seq from;
  std::vector<Binary> ops;
  bool known = true;  // false: the sender no longer has what was asked for; ask the cloud
  template <class A>
  void fields(A& a) {
    a(chain, from, ops, known);
  }
};

// From a till to who keeps divergent batches of its history: all that is in the batch that ends there is in the cloud
// by now.
struct DivergentBatchAck {
  static constexpr std::uint64_t kType = 15;
  WireChain chain;
  ChainPoint end;
  template <class A>
  void fields(A& a) {
    a(chain, end);
  }
};

// The cloud's answer to a Push that comes faster than the branch may send (from protocol 2 on): nothing of it was
// taken, and it is welcome after that time.
struct Busy {
  static constexpr std::uint64_t kType = 18;
  WireChain chain;
  std::uint32_t after_ms = 0;
  template <class A>
  void fields(A& a) {
    a(chain, after_ms);
  }
};

// The cloud tells every till that offers it something: its record was put back to a backup at that time, and is of
// another generation since. Tills pass it on to each other, because what they knew of the cloud may hold no more.
struct CloudReset {
  static constexpr std::uint64_t kType = 24;
  std::uint64_t generation = 0;
  std::vector<std::uint64_t> left;  // generations that it was of before, as far as its record knows
  std::int64_t wall_ms = 0;
  Binary signature;  // by the cloud
  template <class A>
  void fields(A& a) {
    a(generation, left, wall_ms, signature);
  }
  Bytes signed_part() const;
  bool valid(const PublicKey& cloud) const { return cloud.verify(signed_part(), signature); }
};

// To a till, of its own histories: a till that has not got so far went back in time, and opens a new history.
struct Seen {
  static constexpr std::uint64_t kType = 16;
  std::vector<ChainUpTo> histories;
  template <class A>
  void fields(A& a) {
    a(histories);
  }
};

// Of a till, in its history's name: every op after `last` is stamped after `hlc`. What a branch's past is complete up
// to (engine/cloud/ingest/frontier.hpp) rests on it; idle tills say it too.
struct Progress {
  static constexpr std::uint64_t kType = 17;
  WireChain chain;
  Seq last;
  Hlc hlc;
  Binary signature;
  template <class A>
  void fields(A& a) {
    a(chain, last, hlc, signature);
  }
  Bytes signed_part(const BranchId& branch) const;
  bool valid(const BranchId& branch, const PublicKey& till) const {
    return till.verify(signed_part(branch), signature);
  }
};

// What the chain's till signs for a batch that ends in `end`.
Bytes push_bytes(const BranchId& branch, const ChainId& chain, const ChainPoint& end);

}  // namespace tillsync
