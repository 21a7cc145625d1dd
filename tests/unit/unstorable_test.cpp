// What a database can't hold: names that are too long for its keys, and ops that it refuses for another reason. One op
// of one till; nobody else waits for it, and it is not tried for ever.
#include <doctest/doctest.h>

#include "engine/cloud/cloud_core.hpp"
#include "engine/cloud/ingest/conflict_book.hpp"
#include "storage/lmdb/till_store.hpp"
#include "storage/model/op_codec.hpp"
#include "storage/model/store_key.hpp"
#include "tests/unit/backends.hpp"
#include "tests/unit/keys.hpp"
#include "tests/unit/refusing_store.hpp"

using namespace tillsync;
using namespace tillsync::test;

namespace {

// Tills of two tenants, at one cloud.
class TwoShops {
 public:
  explicit TwoShops(CloudStore& store) : core(key_number(9)), store_(store) {
    for (std::uint8_t n : {0, 1}) {
      Roster& roster = rosters_[n];
      roster.keys = TenantKeys::founded(key_number(200 + n).public_key(), key_number(210 + n).public_key());
      roster.branch = BranchId{"north"};
      roster.add({TillId{"cloud"}, Binary(key_number(9).public_key().view()), Role::cloud, 0});
      roster.add({TillId{"till-1"}, Binary(key_number(n).public_key().view()), Role::till, 1});
      roster.sign(key_number(200 + n));
      (void)core.on_roster(roster);
      connect(n);
    }
  }
  BranchKey shop(std::size_t n) const { return {rosters_[n].keys.id(), rosters_[n].branch}; }
  void connect(std::size_t n) { (void)core.on_peer_up(now, PeerId{n}, shop(n), TillId{"till-1"}); }

  Push push(std::uint8_t n, const std::vector<OpDraft>& drafts) {
    const ChainId chain{TillId{"till-1"}, Incarnation{1}};
    ChainPoint& last = last_[n];
    Push out{WireChain::of(chain), last.seq.next(), {}, {}};
    for (const OpDraft& draft : drafts) {
      Op op;
      op.branch = rosters_[n].branch, op.chain = chain, op.seq = last.seq.next(), op.prev = last.hash;
      op.hlc = Hlc::at(static_cast<std::int64_t>(1000 + op.seq.value)), op.kind = draft.kind, op.key = draft.key;
      op.body = encode(draft.document);
      out.ops.emplace_back(encode(op));
      last = {op.seq, blake2b(out.ops.back())};
    }
    out.signature = Binary(key_number(n).sign(push_bytes(rosters_[n].branch, chain, last)));
    return out;
  }
  Certificate certificate(std::uint8_t n) const {
    Certificate out{{rosters_[n].branch, Term{1}, TillId{"till-1"}, 7, rosters_[n].lease_ms, 0, rosters_[n].version},
                    {}};
    const TillId till{"till-1"};
    out.grants.push_back({till, Binary(key_number(n).sign(out.ballot.grant_bytes(till)))});
    return out;
  }

  // What they say comes while a job is under way, so that it is done in one. What each of them heard, and who was let
  // go.
  struct Outcome {
    std::vector<std::vector<Message>> heard{2};
    std::vector<PeerId> let_go;
    std::vector<Notice> notices;
    std::size_t jobs = 0;
  };
  Outcome say(const std::vector<std::pair<std::size_t, Message>>& all) {
    Outcome out;
    CloudActions first = core.on_message(now, PeerId{0}, HistoryOffer{{TillId{"till-1"}, Incarnation{99}}, {}, {}});
    for (const auto& [from, message] : all) take(core.on_message(now, PeerId{from}, message), out);
    take(std::move(first), out);
    REQUIRE_FALSE(out.heard[0].empty());
    out.heard[0].erase(out.heard[0].begin());  // of the first offer
    return out;
  }
  // Until nothing is to be done at this moment.
  void take(CloudActions actions, Outcome& out) {
    while (true) {
      for (auto& send : actions.sends) out.heard[send.to.value].push_back(std::move(send.message));
      out.let_go.insert(out.let_go.end(), actions.hang_up.begin(), actions.hang_up.end());
      out.notices.insert(out.notices.end(), actions.notices.begin(), actions.notices.end());
      if (actions.jobs.empty()) return;
      ++out.jobs;
      REQUIRE(out.jobs < 20);  // else it is tried for ever
      const auto job = actions.jobs[0];
      actions = core.on_done(now, job.lane, run_job(store_, witness_, *job.job, [this] { return now.mono; }));
    }
  }
  std::string effects(std::size_t n) {
    std::string out;
    REQUIRE(store_.read([&](CloudTxn& txn) -> Result<void> {
      txn.ops(shop(n), {TillId{"till-1"}, Incarnation{1}}, Seq{1}, [&](const CloudOp& op) {
        out += "+=!x"[static_cast<int>(op.effect)];
        return true;
      });
      return {};
    }));
    return out;
  }
  std::vector<Conflict> conflicts(std::size_t n) {
    std::vector<Conflict> out;
    REQUIRE(store_.read(
        [&](CloudTxn& txn) -> Result<void> { return out = ConflictBook::all(txn, shop(n)), Result<void>(); }));
    return out;
  }

  CloudCore core;
  Now now{};

 private:
  CloudStore& store_;
  Witness witness_;
  Roster rosters_[2];
  ChainPoint last_[2];
};

OpDraft op_of(OpKind kind, const std::string& key, const std::string& sku, const std::string& reference = {}) {
  OpDraft draft;
  draft.kind = kind, draft.key = key;
  draft.document.lines = {{sku, Quantity::units(1), 350, {}}};
  draft.document.reference = reference;
  return draft;
}
OpDraft sale(const std::string& key) { return op_of(OpKind::sale, key, "bun"); }

Seq held_by(const std::vector<Message>& heard) {
  REQUIRE(heard.size() == 1);
  return std::get<Ack>(heard[0]).point.seq;
}

}  // namespace

TEST_CASE("a key of the stores is bounded, whatever it is made of; a short one is what it always was") {
  const ChainId chain{TillId{"till-1"}, Incarnation{1}};
  CHECK(StoreKey().text("aa").text("north").last_text("bun").bytes() == Bytes("aa\0north\0bun\0", 13));
  CHECK(lone_key("ledger/aa/north/bun") == "ledger/aa/north/bun");
  CHECK(lone_key(std::string(510, 'x')) == std::string(510, 'x'));
  std::set<std::string> texts;
  for (const std::size_t size : {1, 42, 43, 44, 128, 200, 300, 354, 355, 450, 510, 511, 512, 600, 1999, 2000, 4000}) {
    for (const char end : {'a', 'b'}) {
      const std::string text = std::string(size - 1, 'x') + end;
      texts.insert({text, bounded(text, kLongestLmdbKey), bounded(text, kLongestIndexed)});
      StoreKey longest;
      longest.text(text).text(text).text(text).number(1).chain({TillId{text}, Incarnation{1}}).number(1);
      CHECK(longest.bytes().size() <= kLongestLmdbKey);
      CHECK(bounded(text, kLongestIndexed).size() <= kLongestIndexed);
    }
  }
  std::set<Bytes> lone, last, middle, in_table;
  for (const std::string& text : texts) {
    lone.insert(lone_key(text)), in_table.insert(bounded(text, kLongestIndexed));
    last.insert(StoreKey().text("aa").last_text(text).bytes());
    middle.insert(StoreKey().text("aa").text(text).number(1).bytes());
  }
  for (const auto* keys : {&lone, &last, &middle, &in_table}) CHECK(keys->size() == texts.size());
  for (const auto* keys : {&lone, &last, &middle})
    CHECK(std::ranges::all_of(*keys, [](const Bytes& key) { return key.size() <= kLongestLmdbKey; }));
  CHECK_FALSE(lone_key("").empty());
}

TEST_CASE("a refund of a sale with a long name, and a refused op with a long sku, hold nobody up") {
  on_each_store([](const OpenStore& open) {
    auto store = open(kTombstonesKept);
    TwoShops shops(*store);
    const std::string sku(600, 's');
    for (const std::size_t size : {450, 4000}) {
      const std::string reference = std::string(size - 1, 'r'), n = std::to_string(size);
      const auto out =
          shops.say({{0, shops.push(0, {op_of(OpKind::refund, "a" + n, "bun", reference + "1"), sale("b" + n),
                                        op_of(OpKind::refund, "c" + n, "bun", reference + "2"),
                                        op_of(OpKind::sale, "d" + n, sku + n)})},
                     {1, shops.push(1, {sale("mine" + n)})}});
      CHECK(out.notices.empty());
      CHECK(out.let_go.empty());
      CHECK(held_by(out.heard[0]) == Seq{size == 450 ? 4u : 8u});
      CHECK(held_by(out.heard[1]) == Seq{size == 450 ? 1u : 2u});
    }
    CHECK(shops.effects(0) == "+++x+++x");
    CHECK(shops.effects(1) == "++");
    std::map<std::string, int> kinds;
    for (const Conflict& each : shops.conflicts(0)) ++kinds[each.kind];
    CHECK(kinds["unknown_sale"] == 4);
    CHECK(kinds["dead_letter"] == 2);
    store->read([&](CloudTxn& txn) -> Result<void> {
      CHECK_FALSE(txn.row(shops.shop(0), {"branch/north", "stock"}, sku + "4000"));  // what is no sku has no stock
      return {};
    });
  });
}

TEST_CASE(
    "an op that the database refuses for good becomes a dead letter with its reason; the rest goes through at once") {
  on_each_store([](const OpenStore& open) {
    auto below = open(kTombstonesKept);
    RefusingStore store(*below);
    TwoShops shops(store);
    store.refuse_ops({"bad-3", "bad-9"}, ErrorKind::invalid);
    std::vector<OpDraft> drafts;
    for (int i = 0; i < 12; ++i) drafts.push_back(sale((i == 3 || i == 9 ? "bad-" : "good-") + std::to_string(i)));
    const auto out = shops.say({{0, shops.push(0, drafts)}, {1, shops.push(1, {sale("mine")})}});
    CHECK(out.jobs == 2);  // the first offer, and these
    CHECK(out.notices.empty());
    CHECK(held_by(out.heard[0]) == Seq{12});
    CHECK(held_by(out.heard[1]) == Seq{1});
    CHECK(shops.effects(0) == "+++x+++++x++");
    CHECK(shops.effects(1) == "+");
    std::set<std::string> dead;
    for (const Conflict& each : shops.conflicts(0)) {
      CHECK(each.kind == "dead_letter");
      CHECK(each.rule == RefusingStore::kWhy);
      dead.insert(each.subject);
    }
    CHECK(dead == std::set<std::string>{"bad-3", "bad-9"});
    CHECK_FALSE(shops.core.status().trouble);
    // Said again it is known.
    CHECK(held_by(shops.say({{0, shops.push(0, {sale("next")})}}).heard[0]) == Seq{13});
  });
}

TEST_CASE("what can't be stored even as a dead letter, and what is no push, is answered with the error") {
  Folder folder;
  auto below = std::move(*open_lmdb_cloud(folder.path, 7));
  RefusingStore store(*below);
  TwoShops shops(store);
  store.refuse_rows({"opening"});
  const auto out = shops.say({{0, Command{1, "opening", Binary("\xa1x"), shops.certificate(0)}},
                              {1, Command{1, "closing", Binary("\xa1x"), shops.certificate(1)}}});
  CHECK(std::get<Commanded>(out.heard[0].at(0)).refusal == RefusingStore::kWhy);
  CHECK(std::get<Commanded>(out.heard[1].at(0)).refusal.empty());

  store.refuse_ops({"bad"}, ErrorKind::invalid, true);
  const auto pushed =
      shops.say({{0, shops.push(0, {sale("good"), sale("bad"), sale("better")})}, {1, shops.push(1, {sale("mine")})}});
  CHECK(pushed.heard[0].empty());
  CHECK(pushed.let_go == std::vector{PeerId{0}});
  CHECK(shops.core.refusals().counts().at({shops.shop(0), Refused::unstorable}) == 1);
  CHECK(held_by(pushed.heard[1]) == Seq{1});
  CHECK(shops.effects(0) == "+");
  CHECK_FALSE(shops.core.status().trouble);
}

TEST_CASE("a database that is away refuses nothing for good: the job is tried again, and meanwhile the cloud says so") {
  Folder folder;
  auto below = std::move(*open_lmdb_cloud(folder.path, 7));
  RefusingStore store(*below);
  TwoShops shops(store);
  store.refuse_ops({"sale-1"}, ErrorKind::disk_full);
  auto out = shops.say({{0, shops.push(0, {sale("sale-0"), sale("sale-1")})}});
  CHECK(out.heard[0].empty());
  REQUIRE(shops.core.status().trouble);
  CHECK(shops.core.status().trouble->kind == ErrorKind::disk_full);
  store.refuse_ops({}, ErrorKind::disk_full);
  shops.now.mono = *shops.core.next_wake();
  shops.take(shops.core.on_wake(shops.now), out);
  CHECK(held_by(out.heard[0]) == Seq{2});
  CHECK(shops.effects(0) == "++");
  CHECK_FALSE(shops.core.status().trouble);
}

TEST_CASE("a till's database takes names of any length as well, and tells them apart") {
  Folder folder;
  auto store = std::move(*TillStore::open(folder.path));
  const FeedKind feed{"branch/north", "conflict"};
  const ChainId chain{TillId{"till-2"}, Incarnation{1}};
  std::vector<std::string> names{"", "bun"};
  for (const std::size_t size : {600, 4000}) {
    for (const char* end : {"a", "b"}) names.push_back(std::string(size, 'x') + end);
  }
  StoreBatch batch;
  std::uint64_t n = 0;
  for (const std::string& name : names) {
    ++n;
    StockProjection stock;
    stock.milli = static_cast<std::int64_t>(n);
    batch.stock(name, stock);
    batch.meta(name, std::to_string(n));
    batch.row(feed, 7, {name, {n}, false, std::to_string(n)}, {});
    batch.vault_op({TillId{"till-1"}, Incarnation{1}}, Seq{n}, name, "an op");
    batch.cashier(name, blake2b(name));
    batch.event_packet(name, chain, Seq{n}, {{Hlc::at(1), chain, Seq{n}, false, static_cast<std::int64_t>(n), true}});
  }
  REQUIRE(store->commit(batch));
  TillView view = store->view();
  n = 0;
  for (const std::string& name : names) {
    ++n;
    CHECK(view.stock(name)->milli == static_cast<std::int64_t>(n));
    CHECK(view.meta(name) == std::to_string(n));
    CHECK(view.row(feed, name)->row.id == name);
    CHECK(view.row(feed, name)->row.fields == std::to_string(n));
    CHECK(view.find_key(name)->seq == Seq{n});
    CHECK(view.cashier(name) == blake2b(name));
    REQUIRE(view.events(name).size() == 1);
    CHECK(view.events(name)[0].milli == static_cast<std::int64_t>(n));
  }
  std::size_t rows = 0, groups = 0;
  view.rows_after(feed, {}, [&](const TillView::StoredRow&) { return ++rows, true; });
  view.event_groups([&](const std::string&, const ChainId& of, Seq) { groups += of == chain ? 1 : 0; });
  CHECK(rows == names.size());
  CHECK(groups == names.size());
}
