// Accepted ops on their way to headquarters, against the plainest of references: a list.
#include <doctest/doctest.h>

#include "engine/cloud/courier.hpp"
#include "engine/cloud/ingest/outbox.hpp"
#include "storage/base/pack.hpp"
#include "storage/base/random.hpp"
#include "tests/unit/backends.hpp"

using namespace tillsync;
using namespace tillsync::test;

namespace {

const BranchKey kNorth{"aa", {"north"}}, kSouth{"aa", {"south"}}, kOther{"bb", {"north"}};

// One cloud: what is accepted, and what arrives at the webhook.
struct World {
  CloudStore& store;
  std::map<std::pair<BranchKey, std::string>, std::uint64_t> ends = {};
  std::map<BranchKey, std::vector<std::string>> accepted = {}, arrived = {};
  std::map<std::string, std::string> seen = {};  // idempotency key -> content

  void write(const std::function<void(CloudTxn&)>& body) {
    REQUIRE(store.write([&](CloudTxn& txn) -> Result<void> { return body(txn), Result<void>(); }));
  }
  void accept(const BranchKey& shop, const std::string& till, std::uint64_t ops) {
    write([&](CloudTxn& txn) {
      txn.lock({shop});
      std::uint64_t& end = ends[{shop, till}];
      const ChainId chain{TillId{till}, Incarnation{7}};
      for (std::uint64_t i = 1; i <= ops; ++i) {
        Op op;
        op.chain = chain, op.seq = Seq{end + i}, op.key = till + std::to_string(end + i);
        txn.put_op(shop, op, till + "/" + std::to_string(end + i), OpEffect::applied);
      }
      txn.put_chain(shop, chain, {Seq{end + ops}, {}});
      Outbox outbox(txn);
      if (outbox.webhook(shop.tenant))
        outbox.put(shop, {{chain.till, chain.incarnation, Seq{end + 1}, Seq{end + ops}}});
    });
    std::uint64_t& end = ends[{shop, till}];
    for (std::uint64_t i = 1; i <= ops; ++i) accepted[shop].push_back(till + "/" + std::to_string(end + i));
    end += ops;
  }
  std::optional<Delivery> next(const BranchKey& shop) {
    std::optional<Delivery> out;
    REQUIRE(store.read([&](CloudTxn& txn) -> Result<void> { return out = Outbox(txn).next(shop), Result<void>(); }));
    return out;
  }
  // It arrives, whether its sender hears of that or not; under one key it is always the same, and counts once.
  void arrive(const BranchKey& shop, const Delivery& delivery) {
    std::string content;
    for (const CloudOp& op : delivery.ops) content += op.bytes + " ";
    const auto [it, fresh] = seen.emplace(delivery.key, content);
    CHECK(it->second == content);
    if (!fresh) return;
    for (const CloudOp& op : delivery.ops) arrived[shop].push_back(op.bytes);
  }
};

}  // namespace

TEST_CASE("what is accepted arrives once and in order, whatever is tried again, and however often the courier dies") {
  on_each_store([](const OpenStore& open) {
    const auto store = open(kTombstonesKept);
    World world{*store};
    Random random(11);
    world.accept(kNorth, "a", 3);  // before there is a webhook
    world.write([](CloudTxn& txn) { Outbox(txn).set_webhook("aa", {"https://erp", "secret", 1}, true); });
    for (int i = 0; i < 150; ++i) {
      const BranchKey& shop = random.below(2) == 0 ? kNorth : kSouth;
      if (random.below(3) != 0)
        world.accept(shop, random.below(2) == 0 ? "a" : "b", 1 + random.below(random.below(8) == 0 ? 500 : 5));
      const auto delivery = world.next(shop);
      if (!delivery) continue;
      CHECK(delivery->ops.size() <= kMaxDeliveryOps);
      const std::uint64_t fate = random.below(4);
      if (fate != 0) world.arrive(shop, *delivery);
      world.write([&](CloudTxn& txn) {
        if (fate == 0) Outbox(txn).failed(shop, *delivery, "500", i, i);
        if (fate >= 2) Outbox(txn).delivered(shop, *delivery);  // at 1 the courier dies in between
        if (fate == 3) Outbox(txn).delivered(shop, *delivery);  // and another has done it already
      });
    }
    world.accept(kOther, "a", 2);  // another tenant has no webhook
    for (const BranchKey& shop : {kNorth, kSouth}) {
      while (const auto delivery = world.next(shop)) {
        world.arrive(shop, *delivery);
        world.write([&](CloudTxn& txn) { Outbox(txn).delivered(shop, *delivery); });
      }
      CHECK(world.arrived[shop] == world.accepted[shop]);
    }
    CHECK_FALSE(world.next(kOther));
    world.write([](CloudTxn& txn) {
      for (const auto& [shop, state] : Outbox(txn).states("aa")) CHECK(state.backlog() == 0);
      Outbox(txn).remove_webhook("aa");
    });
    world.accept(kNorth, "a", 1);
    CHECK_FALSE(world.next(kNorth));
    world.write([](CloudTxn& txn) { Outbox(txn).set_webhook("aa", {"https://other", "secret", 2}, false); });
    world.accept(kNorth, "a", 2);
    const auto later = world.next(kNorth);
    REQUIRE(later);
    CHECK_FALSE(world.seen.contains(later->key));  // no key is ever used for other ops
    world.write([](CloudTxn& txn) { txn.put_meta(kGenerationMeta, pack(std::uint64_t{99})); });  // as a restore does
    CHECK(world.next(kNorth)->key != later->key);
  });
}

TEST_CASE("what is refused for good is set aside, the rest goes on, and a replay brings it behind them") {
  const Folder folder;
  const auto store = std::move(*open_lmdb_cloud(folder.path, 7));
  World world{*store};
  world.write([](CloudTxn& txn) { Outbox(txn).set_webhook("aa", {"https://erp", "secret", 1}, false); });
  world.accept(kNorth, "a", 2);
  world.accept(kNorth, "b", 2);
  const auto bad = world.next(kNorth);
  world.write([&](CloudTxn& txn) { Outbox(txn).set_aside(kNorth, *bad, "it answered 422", 5); });
  const auto good = world.next(kNorth);
  CHECK(good->ops.front().bytes == "b/1");
  world.write([&](CloudTxn& txn) {
    Outbox outbox(txn);
    outbox.delivered(kNorth, *good);
    REQUIRE(outbox.aside(kNorth).size() == 1);
    CHECK(outbox.aside(kNorth).front().why == "it answered 422");
    CHECK(outbox.state(kNorth).set_aside == 1);
    CHECK(outbox.replay(kNorth, "no such key") == 0);
    CHECK(outbox.replay(kNorth, bad->key) == 1);
    CHECK(outbox.state(kNorth).set_aside == 0);
    CHECK(outbox.aside(kNorth).empty());
  });
  const auto again = world.next(kNorth);
  REQUIRE(again);
  CHECK(again->ops.front().bytes == "a/1");
  CHECK(again->ops.size() == 2);
}

TEST_CASE("an outage of any length sets nothing aside; only a clear refusal of these very ops does") {
  using What = CourierVerdict::What;
  const auto status = [](int code) { return WebhookAnswer{code, "nothing answers", {}, {}}; };
  for (const int code : {0, 301, 302, 401, 403, 404, 408, 410, 429, 500, 502, 503, 504}) {
    Duration sum{};
    for (std::uint64_t attempts = 0; attempts < 200'000; ++attempts) {  // a year and more
      const CourierVerdict v = judge(status(code), attempts, static_cast<double>(attempts % 10) / 10);
      if (v.what != What::wait || v.wait < kFirstRetry / 2 || v.wait > kLongestRetry) {
        FAIL_CHECK(code << " after " << attempts);
        break;
      }
      sum += v.wait;
    }
    CHECK(sum > std::chrono::hours(24 * 365));
  }
  for (const int code : {200, 201, 202, 204}) CHECK(judge(status(code), 3, 0).what == What::delivered);
  for (const int code : {400, 413, 415, 422}) {
    for (std::uint64_t attempts = 0; attempts < 4; ++attempts)
      CHECK(judge(status(code), attempts, 0).what == What::wait);
    CHECK(judge(status(code), 4, 0).what == What::set_aside);
  }
  CHECK(judge(status(500), 0, 0.0).wait < judge(status(500), 0, 0.99).wait);  // not all at once
  CHECK(judge({503, {}, {}, seconds(120)}, 0, 0).wait == seconds(120));
  CHECK(judge({503, {}, {}, std::chrono::hours(100)}, 0, 0).wait == kLongestRetryAfter);
  CHECK(judge({301, {}, "https://new", {}}, 0, 0).why.find("https://new, which is not followed") != std::string::npos);
}
