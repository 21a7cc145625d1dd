// Whatever lies below, the cloud's record behaves the same: one suite for all stores, held against maps.
#include <doctest/doctest.h>

#include <set>

#include "storage/base/pack.hpp"
#include "storage/base/random.hpp"
#include "storage/model/op_codec.hpp"
#include "tests/unit/backends.hpp"
#include "tests/unit/memory_cloud.hpp"

using namespace tillsync;
using namespace tillsync::test;

namespace {

const std::vector<BranchKey> kShops{{"aa", {"north"}}, {"aa", {"south"}}, {"bb", {"north"}}};

// Names that sort badly as text, and bytes that are no text at all.
const std::vector<std::string> kOdd{"a", "B", "ab", "\xff\xfe", "\xc3\xa9", "Z z", "'; --", "10", "9"};
std::string odd_kind(Random& random) { return kOdd[random.below(kOdd.size())]; }

// Also longer ones than any database takes for a key: they differ at the end, where they are not in the key.
std::string odd_name(Random& random) {
  if (random.below(3) > 0) return odd_kind(random);
  return std::string(random.below(2) == 0 ? 600 : 4000, 'x') + std::to_string(random.below(3));
}

struct Draw {
  Random random;
  explicit Draw(std::uint64_t seed) : random(seed) {}
  const BranchKey& shop() { return kShops[random.below(kShops.size())]; }
  ChainId chain() {
    return {{"till-" + std::to_string(random.below(3))}, {random.below(2) == 0 ? 5 : ~std::uint64_t{0}}};
  }
  FeedKind feed(const BranchKey& shop) {
    return {random.below(3) == 0 ? "tenant" : "branch/" + shop.branch.text,
            random.below(2) == 0 ? "product" : odd_kind(random)};
  }
  std::uint64_t hlc() { return random.below(9) == 0 ? ~random.below(9) : random.below(1000); }
  Hash hash() {
    Hash h;
    h.bytes[31] = static_cast<std::uint8_t>(random.below(256));
    return h;
  }
  Bytes bytes() { return Bytes(random.below(40), static_cast<char>(random.below(256))); }
  StockEvent event() {
    return {Hlc{hlc()},
            chain(),
            {1 + random.below(9)},
            random.below(5) == 0,
            static_cast<std::int64_t>(random.below(9)) - 4,
            random.below(2) == 0};
  }
};

// One change, the same in both.
void change(Draw& draw, CloudTxn& store, CloudTxn& model) {
  const auto both = [&](const auto& f) { f(store), f(model); };
  const BranchKey& shop = draw.shop();
  switch (draw.random.below(7)) {
    case 0: {
      const ChainId chain = draw.chain();
      const Seq held = model.chain(shop, chain).value_or(ChainPoint{}).seq;
      const ChainPoint point{{held.value + 1 + draw.random.below(3)}, draw.hash()};
      return both([&](CloudTxn& t) { t.put_chain(shop, chain, point); });
    }
    case 1: {
      Op op;
      op.branch = shop.branch;
      op.chain = draw.chain();
      op.seq = {1 + draw.random.below(30)};
      op.key = odd_name(draw.random);
      op.body = draw.bytes();
      auto effect = static_cast<OpEffect>(draw.random.below(4));
      // A key takes effect once: who puts an op has looked.
      if (effect == OpEffect::applied && model.find_key(shop, op.key)) effect = OpEffect::duplicate;
      bool taken = false;  // nor does an op that took effect become another
      model.ops(shop, op.chain, op.seq, [&](const CloudOp& old) {
        taken = old.seq == op.seq && old.effect == OpEffect::applied;
        return false;
      });
      if (taken) return;
      const Seq held = model.chain(shop, op.chain).value_or(ChainPoint{}).seq;
      const Hash hash = draw.hash();
      return both([&](CloudTxn& t) {
        t.put_op(shop, op, encode(op), effect);
        t.put_chain(shop, op.chain, {std::max(op.seq, held), hash});
      });
    }
    case 2: {
      std::vector<StockEvent> events(1 + draw.random.below(3));
      for (StockEvent& each : events) each = draw.event();
      std::ranges::sort(events, {}, &StockEvent::place);
      const auto same_place = [](const auto& a, const auto& b) { return a.place() == b.place(); };
      events.erase(std::unique(events.begin(), events.end(), same_place), events.end());
      const std::string sku = odd_name(draw.random);
      return both([&](CloudTxn& t) {
        for (const StockEvent& event : events) {
          t.put_chain(shop, event.chain, t.chain(shop, event.chain).value_or(ChainPoint{event.seq, {}}));
          t.drop_event(shop, sku, event.place());
        }
        t.put_events(shop, sku, events);
      });
    }
    case 3: {
      const std::string sku = odd_name(draw.random);
      const auto all = model.events_after(shop, sku, {});
      if (all.empty()) return;
      const StockPlace place = all[draw.random.below(all.size())].place();
      return both([&](CloudTxn& t) { t.drop_event(shop, sku, place); });
    }
    case 4: {
      const std::string name = "notes/" + odd_name(draw.random), value = draw.bytes();
      const bool drops = draw.random.below(4) == 0;
      return both([&](CloudTxn& t) { drops ? t.drop_meta(name) : t.put_meta(name, value); });
    }
    default: {
      const CloudRow row{draw.feed(shop), odd_name(draw.random), draw.random.below(3) == 0, draw.bytes()};
      return both([&](CloudTxn& t) { t.put_row(shop, row); });
    }
  }
}

template <class T>
std::vector<T> first(std::uint64_t n, const std::function<void(const std::function<bool(const T&)>&)>& each) {
  std::vector<T> out;
  each([&](const T& v) {
    if (out.size() < n) out.push_back(v);
    return out.size() < n;
  });
  return out;
}

bool same(const CloudOp& a, const CloudOp& b) {
  return a.seq == b.seq && a.key == b.key && a.bytes == b.bytes && a.effect == b.effect;
}

// One question of each kind, to both.
void compare(Draw& draw, CloudTxn& store, CloudTxn& model) {
  const BranchKey& shop = draw.shop();
  const ChainId chain = draw.chain();
  const FeedKind feed = draw.feed(shop);
  const std::string name = odd_name(draw.random);
  const std::uint64_t from = draw.random.below(30), many = 1 + draw.random.below(40);
  if (draw.random.below(2) == 0) {
    const StockPlace late{{draw.hlc()}, {}, {}, {}};
    store.expect([&] {
      return CloudReads{{shop}, {{shop, {name}}}, {"notes/" + name}, {{shop, feed, name}}, {{shop, name, late}}};
    });
  }
  REQUIRE(store.chains(shop) == model.chains(shop));
  REQUIRE(store.chain(shop, chain) == model.chain(shop, chain));
  const auto ops = [&](CloudTxn& t) {
    return first<CloudOp>(many, [&](const auto& visit) { t.ops(shop, chain, {from}, visit); });
  };
  REQUIRE(std::ranges::equal(ops(store), ops(model), same));
  const auto key = store.find_key(shop, name), expected = model.find_key(shop, name);
  REQUIRE(key.has_value() == expected.has_value());
  if (key) REQUIRE((key->chain == expected->chain && key->seq == expected->seq && key->content == expected->content));
  REQUIRE(store.row(shop, feed, name) == model.row(shop, feed, name));
  REQUIRE(store.kinds(shop, feed.feed) == model.kinds(shop, feed.feed));
  REQUIRE(pack(store.feed(shop, feed)) == pack(model.feed(shop, feed)));
  const auto rows = [&](CloudTxn& t) {
    return first<Row>(many, [&](const auto& visit) { t.rows_after(shop, feed, {from}, visit); });
  };
  REQUIRE(rows(store) == rows(model));
  const StockPlace after = draw.event().place();
  REQUIRE(store.events_after(shop, name, after) == model.events_after(shop, name, after));
  REQUIRE(store.shops() == model.shops());
  REQUIRE(store.meta("notes/" + name) == model.meta("notes/" + name));
  std::multiset<std::pair<std::string, Bytes>> a,
      b;  // a long name is read as its beginning, and what stands for the rest
  store.metas("notes/", [&](const std::string& n, ByteView v) { a.emplace(n.substr(0, 400), v); });
  model.metas("notes/", [&](const std::string& n, ByteView v) { b.emplace(n.substr(0, 400), v); });
  REQUIRE(a == b);
}

}  // namespace

TEST_CASE("a cloud store answers as maps would, in and after transactions, aborted ones left out, opened again") {
  constexpr std::uint64_t kTombstones = 3;
  on_each_store([&](const OpenStore& open) {
    Draw draw(11);
    auto store = open(kTombstones);
    MemoryCloud model(kTombstones);
    for (int step = 0; step < 250; ++step) {
      MemoryCloud tried = model;
      const bool abort = draw.random.below(5) == 0;
      const Draw before = draw;
      const auto done = store->write([&](CloudTxn& txn) -> Result<void> {
        tried = model, draw = before;
        txn.lock(kShops);
        for (std::uint64_t n = 1 + draw.random.below(12); n > 0; --n) {
          change(draw, txn, tried);
          if (draw.random.below(3) == 0) compare(draw, txn, tried);
        }
        if (abort) return fail(ErrorKind::refused, "changed my mind");
        return {};
      });
      REQUIRE(done.has_value() == !abort);
      if (done) model = tried;
      if (draw.random.below(25) == 0) store.reset(), store = open(kTombstones);
      REQUIRE(store->read([&](CloudTxn& txn) -> Result<void> { return compare(draw, txn, model), Result<void>(); }));
    }
  });
}

TEST_CASE("a reader that looks at a branch's feed first sees the branch's chains and keys all the same") {
  on_each_store([](const OpenStore& open) {
    const auto store = open(kTombstonesKept);
    const BranchKey& shop = kShops[0];
    const ChainId chain{TillId{"till-1"}, Incarnation{1}};
    REQUIRE(store->write([&](CloudTxn& txn) -> Result<void> {
      Op op;
      op.chain = chain, op.seq = Seq{1}, op.key = "k";
      txn.lock({shop});
      txn.put_op(shop, op, "bytes", OpEffect::applied);
      return txn.put_chain(shop, chain, {op.seq, {}}), Result<void>();
    }));
    REQUIRE(store->read([&](CloudTxn& txn) -> Result<void> {
      CHECK(txn.kinds(shop, "branch/" + shop.branch.text).empty());
      CHECK(txn.chains(shop).size() == 1);
      CHECK(txn.find_key(shop, "k"));
      return {};
    }));
  });
}

TEST_CASE(
    "a key that is claimed and not new is seen, if need be at a second run of the body; nothing is kept of the first") {
  on_each_store([](const OpenStore& open) {
    const auto store = open(kTombstonesKept);
    const auto put = [&](const std::string& key, std::uint64_t seq) {
      std::optional<Seq> known;
      bool seen = false;
      REQUIRE(store->write([&](CloudTxn& txn) -> Result<void> {
        Op op;
        op.chain = {TillId{"till-1"}, Incarnation{1}}, op.seq = Seq{seq}, op.key = key;
        txn.lock({kShops[0]});
        const auto first = txn.claim_key(kShops[0], key);
        known = first ? std::optional(first->seq) : std::nullopt;
        txn.put_op(kShops[0], op, "bytes", first ? OpEffect::duplicate : OpEffect::applied);
        seen = txn.find_key(kShops[0], key).has_value();  // also what was put just now
        txn.put_chain(kShops[0], op.chain, {op.seq, {}});
        txn.put_meta("puts", txn.meta("puts").value_or("") + key);
        return {};
      }));
      CHECK(seen);
      return known;
    };
    CHECK_FALSE(put("a", 1));
    CHECK(put("a", 2) == Seq{1});
    CHECK(put("a", 3) == Seq{1});
    CHECK_FALSE(put("b", 4));
    REQUIRE(store->read([&](CloudTxn& txn) -> Result<void> {
      CHECK(txn.meta("puts") == "aaab");
      std::string effects;
      txn.ops(kShops[0], {TillId{"till-1"}, Incarnation{1}}, Seq{1}, [&](const CloudOp& op) {
        effects += std::to_string(static_cast<int>(op.effect));
        return true;
      });
      CHECK(effects == "0110");
      return {};
    }));
  });
}
