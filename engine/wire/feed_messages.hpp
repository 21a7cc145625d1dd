// Rows and stock events down: pulls name how far the reader is, answers come in pages. Types, fields and who says
// them when are documented in docs/wire-protocol.md.
#pragma once

#include <string>
#include <tillsync/row.hpp>
#include <vector>

#include "engine/wire/history_messages.hpp"
#include "storage/base/later.hpp"
#include "storage/model/records.hpp"

namespace tillsync {

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
  static constexpr std::uint64_t kType = 20;
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
  static constexpr std::uint64_t kType = 21;
  std::vector<Page> pages;
  template <class A>
  void fields(A& a) {
    a(pages);
  }
};

// Asks the host for the branch's newest stock events; waits there until there are some.
struct PullEvents {
  static constexpr std::uint64_t kType = 22;
  std::vector<ChainUpTo> seen;
  template <class A>
  void fields(A& a) {
    a(seen);
  }
};

struct Events {
  static constexpr std::uint64_t kType = 23;
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

}  // namespace tillsync
