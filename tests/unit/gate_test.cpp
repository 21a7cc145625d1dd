// Who may do what at a cloud, and how much: roles, keys, limits, and the version before this one.
#include <doctest/doctest.h>

#include <deque>

#include "engine/cloud/cloud_core.hpp"
#include "engine/cloud/operators.hpp"
#include "engine/cloud/rights.hpp"
#include "engine/till/chain_sender.hpp"
#include "storage/base/pack.hpp"
#include "storage/base/random.hpp"
#include "storage/model/op_codec.hpp"
#include "tests/unit/backends.hpp"
#include "tests/unit/keys.hpp"
#include "transport/net/hello.hpp"

using namespace tillsync;
using namespace tillsync::test;

TEST_CASE("each role may what it needs, and nothing else") {
  const std::map<Party, std::string> expected = {
      {Party::till, "sync "},
      {Party::support, "read_conflicts settle_conflicts read_fleet read_webhook replay_webhook read_lease "},
      {Party::manager, "read_conflicts read_fleet read_lease "},
      {Party::headquarters, "import_rows read_fleet read_webhook replay_webhook "},
      {Party::metrics, "read_metrics "}};
  for (const auto& [party, rights] : expected) {
    std::string has;
    for (Right right : kAllRights) has += may(party, right) ? std::string(name_of(right)) + " " : "";
    const std::string name = name_of(party);
    CHECK_MESSAGE(has == rights, name);
    CHECK(party_named(name) == party);
  }
  for (Right right : kAllRights) CHECK_FALSE(may(Role::cloud, right));
}

TEST_CASE("a key opens what was given to it, until it expires or is removed; a guess opens nothing") {
  on_each_store([](const OpenStore& open) {
    const auto store = open(kTombstonesKept);
    const OperatorKey key = OperatorKey::of(std::string(40, 'k')), other = OperatorKey::of(std::string(40, 'o'));
    auto write = [&](auto body) { return store->write([&](CloudTxn& txn) -> Result<void> { return body(txn); }); };
    const Operator erp{{}, "erp", "aa", Party::headquarters, {}, 1000, 5000};
    REQUIRE(write([&](CloudTxn& txn) { return add_operator(txn, erp, key); }));
    CHECK_FALSE(write([&](CloudTxn& txn) {
      return add_operator(txn, {{}, "x", "", Party::support, {}, 0, 0}, other);
    }));
    CHECK_FALSE(write([&](CloudTxn& txn) { return add_operator(txn, {{}, "x", "aa", Party::till, {}, 0, 0}, other); }));
    auto find = [&](const std::string& text, std::int64_t now_ms) {
      std::string said;
      REQUIRE(store->read([&](CloudTxn& txn) -> Result<void> {
        const auto found = find_operator(txn, text, now_ms);
        said = found ? found->name + " of " + found->tenant : found.error().message;
        return {};
      }));
      return said;
    };
    CHECK(find(key.text(), 4999) == "erp of aa");
    CHECK(find(key.text(), 5000).find("has expired") != std::string::npos);
    std::string guess = key.text();
    guess.back() = guess.back() == '0' ? '1' : '0';
    for (const std::string& wrong :
         {guess, other.text(), std::string(), std::string("tso_"), key.text() + "0", "tso_" + key.id + "_"})
      CHECK(find(wrong, 2000).find("no such key") != std::string::npos);
    bool dropped = false;
    REQUIRE(write([&](CloudTxn& txn) -> Result<void> { return dropped = drop_operator(txn, key.id), Result<void>(); }));
    CHECK(dropped);
    CHECK(find(key.text(), 2000).find("no such key") != std::string::npos);
  });
}

TEST_CASE("within a limit nobody waits; beyond it each is told when to come back, and then it is welcome") {
  const BranchKey shop{"aa", {"north"}};
  Random random(7);
  RateLimits rates;
  rates.till_ops = {100, 500}, rates.branch_ops = {150, 800};
  rates.till_bytes = rates.branch_bytes = {1 << 30, 1 << 30};
  Limits limits(rates);
  Instant now{};
  // The reference: a bucket that fills evenly, in thousandths of an op.
  struct Bucket {
    double level;
    Allowance allowed;
  };
  std::map<std::string, Bucket> buckets{
      {"a", {500, rates.till_ops}}, {"b", {500, rates.till_ops}}, {"", {800, rates.branch_ops}}};
  int taken = 0, refused = 0;
  for (int i = 0; i < 3000; ++i) {
    const Duration step = milliseconds(random.below(random.below(10) == 0 ? 3000 : 100));
    now = now + step;
    for (auto& [name, bucket] : buckets)
      bucket.level = std::min<double>(
          bucket.level + std::chrono::duration<double>(step).count() * static_cast<double>(bucket.allowed.per_second),
          static_cast<double>(bucket.allowed.burst));
    const std::string till = random.below(2) == 0 ? "a" : "b";
    const std::uint64_t ops = 1 + random.below(60);
    const bool fits = buckets.at(till).level >= static_cast<double>(ops) - 1e-6 &&
                      buckets.at("").level >= static_cast<double>(ops) - 1e-6;
    const Duration wait = limits.take(now, shop, TillId{till}, ops, 1);
    CHECK((wait == Duration::zero()) == fits);
    if (fits) {
      buckets.at(till).level -= static_cast<double>(ops), buckets.at("").level -= static_cast<double>(ops), ++taken;
      continue;
    }
    ++refused;
    Limits later = limits;
    CHECK(later.take(now + wait + milliseconds(1), shop, TillId{till}, ops, 1) == Duration::zero());
  }
  CHECK(taken > 500);
  CHECK(refused > 100);
  Limits fresh(rates);  // a batch larger than the whole burst is taken when nothing else is owed
  CHECK(fresh.take(now, shop, TillId{"a"}, 5000, 1) == Duration::zero());
  CHECK(fresh.take(now, shop, TillId{"a"}, 1, 1) > seconds(40));
}

namespace {

struct Gate {
  Roster roster;
  CloudCore core;
  Now now{};
  ChainPoint last;

  explicit Gate(RateLimits limits) : core(key_number(9), 1, limits) {
    roster.keys = TenantKeys::founded(key_number(200).public_key(), key_number(201).public_key());
    roster.branch = BranchId{"north"};
    roster.add({TillId{"till-1"}, Binary(key_number(1).public_key().view()), Role::till, 1});
    roster.add({TillId{"helper"}, Binary(key_number(2).public_key().view()), Role::support, 0});
    roster.sign(key_number(200));
    (void)core.on_roster(roster);
  }
  BranchKey shop() const { return {roster.keys.id(), roster.branch}; }

  Push push(const std::string& who, std::uint8_t key, int ops) {
    const ChainId chain{TillId{who}, Incarnation{1}};
    Push out{WireChain::of(chain), last.seq.next(), {}, {}};
    for (int i = 0; i < ops; ++i) {
      Op op;
      op.branch = roster.branch, op.chain = chain, op.seq = last.seq.next(), op.prev = last.hash;
      op.hlc = Hlc::at(1000 + i), op.kind = OpKind::sale, op.key = who + std::to_string(op.seq.value);
      op.body = encode(Document{});
      out.ops.emplace_back(encode(op));
      last = {op.seq, blake2b(out.ops.back())};
    }
    out.signature = Binary(key_number(key).sign(push_bytes(roster.branch, chain, last)));
    return out;
  }
};

}  // namespace

TEST_CASE("a till that sends more than its share is told when to come back; one of the version before is let go") {
  RateLimits limits;
  limits.till_ops = {10, 30};
  for (const std::uint32_t protocol : {1u, 2u}) {
    Gate gate(limits);
    (void)gate.core.on_peer_up(gate.now, PeerId{1}, gate.shop(), TillId{"till-1"}, protocol);
    CHECK(gate.core.on_message(gate.now, PeerId{1}, gate.push("till-1", 1, 30)).jobs.size() == 1);
    const Push more = gate.push("till-1", 1, 20);
    const CloudActions refused = gate.core.on_message(gate.now, PeerId{1}, more);
    CHECK(gate.core.refusals().counts().at({gate.shop(), Refused::too_fast}) == 1);
    if (protocol == 1) {
      CHECK(refused.hang_up.size() == 1);
      CHECK(refused.sends.empty());
      continue;
    }
    CHECK(refused.hang_up.empty());
    REQUIRE(refused.sends.size() == 1);
    const Busy& busy = std::get<Busy>(refused.sends[0].message);
    CHECK(busy.after_ms >= 2000);
    CHECK(busy.after_ms <= 2002);
    gate.now.mono = gate.now.mono + milliseconds(busy.after_ms);
    (void)gate.core.on_message(gate.now, PeerId{1}, more);
    CHECK(gate.core.refusals().total() == 1);
  }
}

TEST_CASE("a sender that is told to come back later sends nothing before, and then goes on from what is held") {
  ChainSender sender;
  const Instant start{seconds(100)};
  REQUIRE(sender.next_offer(start, false));
  sender.on_held(start, Seq{5});
  REQUIRE(sender.next_batch(Seq{50}) == Seq{6});
  sender.on_sent(start, Seq{15});
  sender.on_sent(start, Seq{25});
  sender.on_busy(start + seconds(3));
  sender.on_held(start + seconds(1), Seq{5});  // the answer to the second, which left a gap
  CHECK_FALSE(sender.next_batch(Seq{50}));
  CHECK_FALSE(sender.next_offer(start + seconds(2), false));
  CHECK(sender.next_wake() == start + seconds(3));
  REQUIRE(sender.next_offer(start + seconds(3), false));
  sender.on_held(start + seconds(3), Seq{5});
  CHECK(sender.next_batch(Seq{50}) == Seq{6});
}

TEST_CASE("two tenants with the same names of branch and till never see each other's ops or rows") {
  on_each_store([](const OpenStore& open) {
    const auto store = open(kTombstonesKept);
    Gate ours({}), theirs({});
    theirs.roster.keys = TenantKeys::founded(key_number(210).public_key(), key_number(211).public_key());
    theirs.roster.sign(key_number(210));
    (void)ours.core.on_roster(theirs.roster);
    REQUIRE(ours.core.rosters().size() == 2);
    (void)ours.core.on_peer_up(ours.now, PeerId{1}, ours.shop(), TillId{"till-1"});
    (void)ours.core.on_peer_up(ours.now, PeerId{2}, theirs.shop(), TillId{"till-1"});
    Witness witness;
    const auto say = [&](std::uint64_t peer, Message message) {
      std::vector<Message> heard;
      CloudActions actions = ours.core.on_message(ours.now, PeerId{peer}, std::move(message));
      while (!actions.jobs.empty())
        actions = ours.core.on_done(ours.now, actions.jobs[0].lane,
                                    run_job(*store, witness, *actions.jobs[0].job, [&] { return ours.now.mono; }));
      for (const auto& send : actions.sends) {
        if (send.to == PeerId{peer}) heard.push_back(send.message);
      }
      return heard;
    };
    REQUIRE(store->write([&](CloudTxn& txn) -> Result<void> {
      return txn.put_row(ours.shop(), {{"tenant", "product"}, "bun", false, pack(std::uint64_t{1})}), Result<void>();
    }));
    const Push push = ours.push("till-1", 1, 3);
    CHECK(std::get<Ack>(say(1, push)[0]).point.seq == Seq{3});
    CHECK(std::get<Ack>(say(2, HistoryOffer{push.chain, {}, {}})[0]).point.seq == Seq{0});
    CHECK(std::get<Fetched>(say(2, Fetch{push.chain, Seq{1}})[0]).ops.empty());
    Pull pull;
    pull.feeds = {"tenant", "branch/north", "group/all", ours.shop().tenant, "branch/south"};
    CHECK(say(2, pull).empty());
    CHECK(std::get<Pages>(say(1, pull)[0]).pages.size() >= 1);
  });
}

TEST_CASE("a storm of messages ends that connection, and is counted") {
  RateLimits limits;
  limits.messages = {10, 100};
  Gate gate(limits);
  (void)gate.core.on_peer_up(gate.now, PeerId{1}, gate.shop(), TillId{"till-1"});
  for (int i = 0; i < 100; ++i) CHECK(gate.core.on_message(gate.now, PeerId{1}, Ping{}).hang_up.empty());
  CHECK(gate.core.on_message(gate.now, PeerId{1}, Ping{}).hang_up.size() == 1);
  CHECK(gate.core.refusals().counts().at({gate.shop(), Refused::too_fast}) == 1);
}

TEST_CASE("a supporter's key pushes no sale, and nobody ops that do not follow each other: nothing of it is kept") {
  on_each_store([](const OpenStore& open) {
    const auto store = open(kTombstonesKept);
    Gate gate({});
    (void)gate.core.on_peer_up(gate.now, PeerId{1}, gate.shop(), TillId{"till-1"});
    (void)gate.core.on_peer_up(gate.now, PeerId{2}, gate.shop(), TillId{"helper"});
    Witness witness;
    const auto let_go = [&](std::uint64_t peer, const Push& push) {
      CloudActions actions = gate.core.on_message(gate.now, PeerId{peer}, push);
      REQUIRE(actions.jobs.size() == 1);
      actions =
          gate.core.on_done(gate.now, 0, run_job(*store, witness, *actions.jobs[0].job, [&] { return gate.now.mono; }));
      CHECK(actions.sends.empty());
      return actions.hang_up == std::vector{PeerId{peer}};
    };
    CHECK(let_go(2, gate.push("helper", 2, 1)));
    CHECK(gate.core.refusals().counts().at({gate.shop(), Refused::not_allowed}) == 1);
    Push swapped = gate.push("till-1", 1, 3);
    std::swap(swapped.ops[0], swapped.ops[1]);
    CHECK(let_go(1, swapped));
    CHECK(gate.core.refusals().counts().at({gate.shop(), Refused::bad_signature}) == 1);
    REQUIRE(store->read([&](CloudTxn& txn) -> Result<void> {
      CHECK(txn.chains(gate.shop()).empty());
      return {};
    }));
  });
}

TEST_CASE("two releases next to each other understand each other; one that is too old is told to update") {
  Hello mine, older, ancient, newer;
  mine.name = TillId{"cloud"}, older.name = TillId{"till-1"}, ancient.name = TillId{"till-2"},
  newer.name = TillId{"till-3"};
  older.oldest = older.newest = kNewestProtocol - 1;
  ancient.oldest = ancient.newest = kOldestProtocol - 1;
  newer.oldest = kNewestProtocol, newer.newest = kNewestProtocol + 1;
  CHECK(agree(mine, older) == kNewestProtocol - 1);
  CHECK(agree(mine, newer) == kNewestProtocol);
  CHECK(agree(mine, ancient).error().message == "till-2 runs a release that is too old for the other end: update it");
  // What the version before sends is read: its Ack has no generation.
  const Bytes held("\x92\x0b\x93\x92\xa6till-1\x01\x03\x92\x07\xc4\x20", 17);
  const auto read = decode_message(held + Bytes(32, 'h'));
  REQUIRE(read);
  CHECK(std::get<Ack>(*read).point.seq == Seq{7});
  CHECK(std::get<Ack>(*read).generation.value == 0);
}
