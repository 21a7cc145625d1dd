// What tills, hosts and clouds say to each other. A message is the MessagePack array [type, body]; a body is an array
// whose unknown trailing fields are ignored. Types and fields are documented in docs/wire-protocol.md.
#pragma once

#include <optional>
#include <tillsync/op.hpp>
#include <tillsync/row.hpp>
#include <variant>
#include <vector>

#include "lease/keys.hpp"
#include "lease/messages.hpp"
#include "storage/base/later.hpp"
#include "storage/model/records.hpp"

namespace tillsync {

constexpr std::size_t kMaxMessageBytes = 1024 * 1024;  // a frame's limit; larger things travel in pages
constexpr std::size_t kMaxBatchBytes = 256 * 1024;     // of ops in one Push or Fetched
constexpr std::size_t kMaxBatchOps = 1000;
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
  WireChain chain;
  ChainPoint last;
  ChainPoint cloud;
  template <class A>
  void fields(A& a) {
    a(chain, last, cloud);
  }
};

// The cloud's answer to a Push that comes faster than the branch may send (from protocol 2 on): nothing of it was
// taken, and it is welcome after that time.
struct Busy {
  WireChain chain;
  std::uint32_t after_ms = 0;
  template <class A>
  void fields(A& a) {
    a(chain, after_ms);
  }
};

// The answer to HistoryOffer and Push: a watermark with its proof. A gap is answered by the watermark to send again
// from.
struct Ack {
  WireChain chain;
  Level level = Level::own_disk;
  ChainPoint point;
  // Of a till's word on what the cloud holds: which generation of the cloud it heard that of, if it knows.
  Later<std::uint64_t> generation{};
  template <class A>
  void fields(A& a) {
    a(chain, level, point, generation);
  }
};

struct Push {
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
  WireChain chain;
  Seq from;
  template <class A>
  void fields(A& a) {
    a(chain, from);
  }
};

// Ops from `from` on, fewer than asked when the page is full; none when the sender has no more.
struct Fetched {
  WireChain chain;
  Seq from;
  std::vector<Binary> ops;
  bool known = true;  // false: the sender no longer has what was asked for; ask the cloud
  template <class A>
  void fields(A& a) {
    a(chain, from, ops, known);
  }
};

struct RowPosition {
  std::string feed, kind;
  std::uint64_t generation = 0;
  RowVersion version;
  bool snapshot = false;  // in the middle of one
  template <class A>
  void fields(A& a) {
    a(feed, kind, generation, version, snapshot);
  }
};

// Waits at the receiver until there is something new.
struct Pull {
  std::vector<std::string> feeds;
  std::vector<RowPosition> positions;
  template <class A>
  void fields(A& a) {
    a(feeds, positions);
  }
};

struct Page {
  struct WireRow {
    std::string id;
    RowVersion version;
    bool deleted = false;
    Binary fields_bytes;
    template <class A>
    void fields(A& a) {
      a(id, version, deleted, fields_bytes);
    }
  };
  std::string feed, kind;
  std::uint64_t generation = 0;
  RowVersion from, to;
  bool more = false;
  bool snapshot = false;
  std::uint64_t live_sum = 0;  // of the feed's live rows at `to`, when there is no more
  std::vector<WireRow> rows;
  // Of stock rows at `to`, when there is no more: every op of the history up to there has had its effect on them, or
  // never will.
  std::vector<ChainUpTo> settled;
  Later<RowVersion> newest{};  // how far the feed goes at the sender
  template <class A>
  void fields(A& a) {
    a(feed, kind, generation, from, to, more, snapshot, live_sum, rows, settled, newest);
  }
};

struct Pages {
  std::vector<Page> pages;
  template <class A>
  void fields(A& a) {
    a(pages);
  }
};

// To a till, of its own histories: a till that has not got so far went back in time, and opens a new history.
struct Seen {
  std::vector<ChainUpTo> histories;
  template <class A>
  void fields(A& a) {
    a(histories);
  }
};

// Asks the host for the branch's newest stock events; waits there until there are some.
struct PullEvents {
  std::vector<ChainUpTo> seen;
  template <class A>
  void fields(A& a) {
    a(seen);
  }
};

struct Events {
  struct OpEvents {
    WireChain chain;
    Seq seq;
    Hlc hlc;
    struct Move {
      std::string sku;
      bool is_count = false;
      std::int64_t milli = 0;
      bool stocked = false;
      template <class A>
      void fields(A& a) {
        a(sku, is_count, milli, stocked);
      }
    };
    std::vector<Move> moves;
    template <class A>
    void fields(A& a) {
      a(chain, seq, hlc, moves);
    }
  };
  std::vector<OpEvents> ops;
  template <class A>
  void fields(A& a) {
    a(ops);
  }
};

// Heartbeat and time: the answer carries the sender's corrected wall time and whether it knows it from the cloud.
struct Ping {
  std::uint64_t nonce = 0;
  template <class A>
  void fields(A& a) {
    a(nonce);
  }
};

struct Pong {
  std::uint64_t nonce = 0;
  std::int64_t wall_ms = 0;
  bool from_cloud = false;
  template <class A>
  void fields(A& a) {
    a(nonce, wall_ms, from_cloud);
  }
};

// How a till is: said to each other till on connecting, and when it has changed, at most every few seconds.
struct Vitals {
  std::uint32_t fitness = 0;         // to host; see docs/lease.md
  std::uint64_t unsent = 0;          // of its own ops, not in the cloud yet
  std::uint64_t roster_version = 0;  // durably held
  bool operator==(const Vitals&) const = default;
  template <class A>
  void fields(A& a) {
    a(fitness, unsent, roster_version);
  }
};

// What only the holder of an exclusive lease may do: a setting of the branch, which the cloud takes under the
// certificate of the highest term that it knows, and no lower one (fencing).
struct Command {
  std::uint64_t nonce = 0;
  std::string name;
  Binary value;  // MessagePack
  Certificate certificate;
  template <class A>
  void fields(A& a) {
    a(nonce, name, value, certificate);
  }
};

struct Commanded {
  std::uint64_t nonce = 0;
  std::string refusal;  // empty: done, and durable
  template <class A>
  void fields(A& a) {
    a(nonce, refusal);
  }
};

// Of a person's key to a till or a cloud: what it may ask is read-only, and answered in JSON.
struct Question {
  std::uint64_t nonce = 0;
  std::string what;      // lease, roster_held, conflicts
  std::string argument;  // of conflicts: how many to leave out at the beginning
  template <class A>
  void fields(A& a) {
    a(nonce, what, argument);
  }
};

struct Answer {
  std::uint64_t nonce = 0;
  std::string json;
  template <class A>
  void fields(A& a) {
    a(nonce, json);
  }
};

// Of a till, in its history's name: every op after `last` is stamped after `hlc`. What a branch's past is complete up
// to (engine/cloud/frontier.hpp) rests on it; idle tills say it too.
struct Progress {
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

struct NewRoster {
  Binary roster;
  template <class A>
  void fields(A& a) {
    a(roster);
  }
};

// From a till to who keeps divergent batches of its history: all that is in the batch that ends there is in the cloud by now.
struct DivergentBatchAck {
  WireChain chain;
  ChainPoint end;
  template <class A>
  void fields(A& a) {
    a(chain, end);
  }
};

// The cloud's word on itself, to every till that offers it something: its record was put back to a backup, at that
// time, and is of another generation since. Tills pass it on to each other: what they knew of the cloud may hold no
// more.
struct CloudReset {
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

// A type that the receiver does not know is answered, so that a newer sender can tell.
struct Unknown {
  std::uint64_t type = 0;
  bool answer = false;  // the peer's word on a message of ours; false: what decoding made of one of its own
  template <class A>
  void fields(A& a) {
    a(type);
  }
};

using Message =
    std::variant<HistoryOffer, Ack, Push, Fetch, Fetched, Pull, Pages, PullEvents, Events, Ping, Pong, NewRoster,
                 Unknown, PreVote, PreVoteReply, RequestGrant, Grant, Deny, Release, Announce, DivergentBatchAck, Seen,
                 Vitals, TwoGrants, Command, Commanded, Question, Answer, Progress, Busy, CloudReset>;

Bytes encode(const Message& message);
// Nothing when malformed; a well-formed message of an unknown type comes back as Unknown.
std::optional<Message> decode_message(ByteView bytes);

// What the chain's till signs for a batch that ends in `end`.
Bytes push_bytes(const BranchId& branch, const ChainId& chain, const ChainPoint& end);

}  // namespace tillsync
