// A cloud with two tills that push to it, and what is said at them.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "conflicts/choices.hpp"
#include "engine/cloud/ingest/ingest.hpp"
#include "engine/till/local_log.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/feeds.hpp"
#include "storage/model/op_codec.hpp"
#include "tests/scratch.hpp"

namespace tillsync::test {

inline constexpr std::int64_t kNoon = 1'700'000'000'000;

inline Line line(const std::string& sku, std::int64_t units, std::int64_t price = 350) {
  return {sku, Quantity::units(units), price, {}};
}

inline OpDraft draft(OpKind kind, const std::string& key, std::vector<Line> lines, const std::string& reference = {}) {
  OpDraft d;
  d.kind = kind, d.key = key, d.cashier = "ann";
  d.document.lines = std::move(lines);
  d.document.reference = reference;
  return d;
}

inline Bytes packed(std::int64_t n) { return pack(n); }

class SettlingCloud {
 public:
  SettlingCloud() : store_(*open_lmdb_cloud(folder_.path, 7)) {}

  // Recorded at a till so many milliseconds after noon; what effect it had.
  OpEffect take(int till, std::int64_t at_ms, const OpDraft& d) {
    Op op;
    op.branch = shop.branch;
    op.chain = {TillId{"till-" + std::to_string(till)}, Incarnation{1}};
    ChainPoint& last = last_[till];
    op.seq = last.seq.next(), op.prev = last.hash;
    op.hlc = Hlc::at(kNoon + at_ms);
    op.kind = d.kind, op.key = d.key, op.cashier = d.cashier, op.body = body_of(d);
    return push(std::move(op));
  }
  OpEffect push(Op op) {
    const Bytes bytes = encode(op);
    ChainPoint& last = last_[op.chain.till == TillId{"till-1"} ? 1 : 2];
    last = {op.seq, blake2b(bytes)};
    write([&](Ingest& ingest) { ingest.branch(shop).push(read_ops({op.chain, {{op, last.hash, bytes}}, {}})); });
    std::optional<OpEffect> effect;
    read([&](CloudTxn& txn) {
      txn.ops(shop, op.chain, op.seq, [&](const CloudOp& o) { return effect = o.effect, false; });
    });
    REQUIRE(effect);
    return *effect;
  }
  // Everybody has said that nothing earlier comes.
  void confirm() {
    now_ms += 3'600'000;
    write([&](Ingest& ingest) {
      for (const auto& [till, last] : last_)
        ingest.branch(shop).progress({TillId{"till-" + std::to_string(till)}, Incarnation{1}}, last.seq,
                                     Hlc::at(now_ms));
    });
  }
  OpEffect say(int till, std::int64_t at_ms, const std::string& id, const std::string& choice, const std::string& by,
               std::vector<ConflictMove> moves = {}) {
    auto word = resolution(conflict(id), stock_now(), {choice, by, "because", std::move(moves)});
    REQUIRE_MESSAGE(word, word.error().message);
    return take(till, at_ms, *word);
  }

  std::vector<Conflict> conflicts() {
    std::vector<Conflict> all;
    read([&](CloudTxn& txn) { all = ConflictBook::all(txn, shop); });
    return all;
  }
  Conflict conflict(const std::string& id_or_kind) {
    for (Conflict& c : conflicts()) {
      if (c.id == id_or_kind || c.kind == id_or_kind) return c;
    }
    FAIL("no conflict " << id_or_kind);
    return {};
  }
  bool has(const std::string& kind) {
    const auto all = conflicts();
    return std::ranges::count(all, kind, &Conflict::kind) > 0;
  }
  ConflictState state(const std::string& kind) { return conflict(kind).state; }
  std::int64_t stock(const std::string& sku) {
    std::int64_t milli = 0;
    read([&](CloudTxn& txn) {
      const auto row = txn.row(shop, stock_feed(shop.branch), sku);
      if (row) milli = unpack<StockRow>(row->fields)->milli;
    });
    return milli;
  }
  StockNow stock_now() {
    return [this](const std::string& sku) { return std::optional(stock(sku)); };
  }
  RowFields product(const std::string& id) {
    RowFields fields;
    read([&](CloudTxn& txn) {
      const auto row = txn.row(shop, {"tenant", "product"}, id);
      if (row && !row->deleted) fields = *split_fields(row->fields);
    });
    return fields;
  }
  void headquarters(const std::string& id, const RowFields& fields, const FeedKind& feed = {"tenant", "product"}) {
    REQUIRE(store_->write([&](CloudTxn& txn) -> Result<void> {
      RowWriter(txn, shop, now_ms).put({feed, id, false, join_fields(fields)}, {});
      return {};
    }));
  }
  OpDraft edit(const std::string& key, const std::string& id, std::map<std::string, std::int64_t> changes,
               const RowFields& seen, RowVersion version) {
    RowEdit e{"product", id, version, changes.empty(), {}};
    for (const auto& [field, value] : changes)
      e.changes[field] = {Binary(seen.contains(field) ? seen.at(field) : Bytes()), Binary(packed(value))};
    OpDraft d;
    d.kind = OpKind::edit, d.key = key, d.cashier = "ann", d.custom_body = pack(e);
    return d;
  }

  Policies policies;
  std::int64_t now_ms = kNoon + 10'000;
  const BranchKey shop{"tenant", BranchId{"main"}};

 private:
  void write(const std::function<void(Ingest&)>& body) {
    REQUIRE(store_->write([&](CloudTxn& txn) -> Result<void> {
      Ingest ingest = IngestPlan(txn, now_ms, policies).read();
      body(ingest);
      std::move(ingest).close({{shop, {TillId{"till-1"}, TillId{"till-2"}}}});
      return {};
    }));
  }
  void read(const std::function<void(CloudTxn&)>& body) {
    REQUIRE(store_->read([&](CloudTxn& txn) -> Result<void> { return body(txn), Result<void>(); }));
  }

  Folder folder_;
  std::unique_ptr<CloudStore> store_;
  std::map<int, ChainPoint> last_;
};

}  // namespace tillsync::test
