// What people and programs at a cloud want: imports, settlements and rosters take the way that tills' pushes take.
#include <doctest/doctest.h>

#include <algorithm>

#include "conflicts/choices.hpp"
#include "engine/cloud/cloud_core.hpp"
#include "engine/cloud/import.hpp"
#include "engine/cloud/roster_record.hpp"
#include "sim/world/fleet.hpp"
#include "tests/scratch.hpp"
#include "tests/unit/keys.hpp"
#include "tests/unit/refusing_store.hpp"

using namespace tillsync;
using test::key_number;

namespace {

const FeedKind kProducts{"tenant", "product"};

struct Cloud {
  test::Folder folder;
  std::unique_ptr<CloudStore> below = *open_lmdb_cloud(folder.path, 7);
  test::RefusingStore store{*below};
  CloudCore core{key_number(9)};
  Witness witness;
  Now now{Instant{seconds(1)}, 1'700'000'000'000};
  std::map<std::uint64_t, Result<std::uint64_t>> replies;
  std::size_t failures = 0;

  void ask(std::uint64_t to, const BranchKey& branch, CloudRequest request) {
    carry_out(core.on_request(now, ReplyTo{to}, branch, std::move(request)));
  }
  void carry_out(CloudActions actions) {
    for (CloudReply& reply : actions.replies) CHECK(replies.emplace(reply.to.value, reply.outcome).second);
    for (const CloudActions::Job& each : actions.jobs) {
      auto outcome = run_job(store, witness, *each.job, [this] { return now.mono; });
      failures += outcome ? 0 : 1;
      carry_out(core.on_done(now, each.lane, std::move(outcome)));
    }
  }
  std::optional<Row> row(const std::string& id) {
    std::optional<Row> out;
    REQUIRE(below->read([&](CloudTxn& txn) -> Result<void> {
      return out = txn.row({"bakery", {}}, kProducts, id), Result<void>();
    }));
    return out;
  }
};

ImportBatch batch(const std::string& id, std::optional<std::string> from = {}, std::optional<std::string> to = {}) {
  return {kProducts, {{id, false, pack(std::uint64_t{1})}}, std::move(from), std::move(to)};
}

}  // namespace

TEST_CASE("an import that the database refuses for good is answered with the reason, and those beside it go in") {
  Cloud cloud;
  cloud.store.refuse_rows({"bad"});
  const BranchKey shared{"bakery", {}};
  // They come while a job is under way, so that they share the next one.
  auto first = cloud.core.on_request(cloud.now, ReplyTo{1}, shared, batch("bun"));
  cloud.ask(2, shared, batch("bad"));
  cloud.ask(3, {"bakery", {"north"}}, batch("roll"));  // of the tenant, whoever asks
  cloud.carry_out(std::move(first));
  REQUIRE(cloud.replies.size() == 3);
  CHECK(cloud.replies.at(1).value() == 1);
  CHECK(cloud.replies.at(2).error().message == test::RefusingStore::kWhy);
  CHECK(cloud.replies.at(3).value() == 1);
  CHECK(cloud.row("bun"));
  CHECK_FALSE(cloud.row("bad"));
  CHECK(cloud.row("roll"));
  CHECK(cloud.failures == 0);
}

TEST_CASE("an import that a database holds up is answered once, when it works again") {
  Cloud cloud;
  auto first = cloud.core.on_request(cloud.now, ReplyTo{1}, {"bakery", {}}, batch("bun"));
  REQUIRE(first.jobs.size() == 1);
  cloud.carry_out(cloud.core.on_done(cloud.now, 0, fail(ErrorKind::io, "it is away")));
  CHECK(cloud.replies.empty());
  cloud.now.mono = *cloud.core.next_wake();
  cloud.carry_out(cloud.core.on_wake(cloud.now));
  CHECK(cloud.replies.at(1).value() == 1);
}

TEST_CASE(
    "two imports from one checkpoint: the first is taken, the second is told at once, and neither is tried again") {
  Cloud cloud;
  auto first = cloud.core.on_request(cloud.now, ReplyTo{1}, {"bakery", {}}, batch("bun", "", "a"));
  cloud.ask(2, {"bakery", {}}, batch("roll", "", "b"));
  cloud.carry_out(std::move(first));
  CHECK(cloud.replies.at(1).has_value());
  CHECK(cloud.replies.at(2).error().kind == ErrorKind::busy);
  CHECK(cloud.failures == 0);
  CHECK_FALSE(cloud.row("roll"));
}

TEST_CASE(
    "a roster is stored by a job: one from the operator is answered, one that a peer brought only if it is news") {
  Cloud cloud;
  Roster roster;
  roster.keys = TenantKeys::founded(key_number(200).public_key(), key_number(201).public_key());
  roster.branch = BranchId{"north"};
  roster.add({TillId{"cloud"}, Binary(key_number(9).public_key().view()), Role::cloud, 0});
  roster.sign(key_number(200));
  const BranchKey branch{roster.keys.id(), roster.branch};
  auto brought = cloud.core.on_request(cloud.now, {}, branch, roster);
  CHECK(brought.jobs.size() == 1);
  cloud.carry_out(std::move(brought));
  CHECK(cloud.core.on_request(cloud.now, {}, branch, roster).jobs.empty());
  cloud.ask(1, branch, roster);
  CHECK(cloud.replies.at(1).has_value());
  const auto stored = stored_rosters(*cloud.below, branch.tenant);
  REQUIRE(stored);
  REQUIRE(stored->size() == 1);
  CHECK(stored->front().branch == roster.branch);
}

TEST_CASE("what is no settlement is refused without a job, and one of a conflict that nobody knows by its job") {
  Cloud cloud;
  OpDraft sale;
  sale.kind = OpKind::sale, sale.key = "k", sale.cashier = "ann";
  sale.document.lines.push_back({"bun", Quantity::units(1), 350, {}});
  const BranchKey branch{"bakery", {"north"}};
  CHECK(cloud.core.on_request(cloud.now, ReplyTo{1}, branch, SettlementDraft{sale, TillId{"cloud"}}).jobs.empty());
  Conflict unknown;
  unknown.id = "duplicate_key/never", unknown.kind = "forked_history", unknown.state = ConflictState::open;
  const auto draft = resolution(unknown, [](const std::string&) { return std::nullopt; }, {"noted", "ann", "seen", {}});
  REQUIRE(draft);
  cloud.ask(2, branch, SettlementDraft{*draft, TillId{"cloud"}});
  CHECK(cloud.replies.at(2).error().kind == ErrorKind::not_found);
}

TEST_CASE(
    "in the simulator a person at the cloud settles a conflict by a job of the core's, and every till hears of it") {
  sim::Fleet shop(3, 2);
  shop.sell(1, "twice", "bread", 1);
  shop.sell(2, "twice", "bread", 2);
  REQUIRE(shop.settle(std::chrono::minutes(2)));
  const auto conflicts = shop.conflicts();
  const auto about = std::ranges::find(conflicts, "duplicate_key", &Conflict::kind);
  REQUIRE(about != conflicts.end());
  const StockNow stock = [&](const std::string& sku) { return std::optional(shop.cloud_stock()[sku]); };
  const auto draft = resolution(*about, stock, {"", "ann", "because", {}});
  REQUIRE(draft);
  std::vector<Result<void>> answers;
  const auto keep = [&](Result<void> answer) { answers.push_back(std::move(answer)); };
  shop.cloud().settle(shop.shop(), *draft, keep);
  CHECK(answers.empty());  // not before it is durable
  shop.world().run_for(seconds(5));
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].has_value());
  for (int till : {1, 2}) {
    const auto row = shop.till(till).node().row({"branch/main-street", "conflict"}, about->id);
    REQUIRE(row);
    CHECK(unpack<Conflict>(row->fields)->state == ConflictState::resolved);
  }
  shop.cloud().settle(shop.shop(), *draft, keep);  // once is enough
  shop.world().run_for(seconds(5));
  REQUIRE(answers.size() == 2);
  CHECK(answers[1].error().kind == ErrorKind::refused);
}

TEST_CASE("in the simulator an import that a crash of the cloud took is sent again, and every till gets the row") {
  sim::Fleet shop(4, 2);
  shop.world().run_for(seconds(10));
  shop.cloud().put_row(shop.shop(), {kProducts, "bun", false, "v1"});
  shop.cloud().crash();  // before its job ran
  shop.world().run_for(seconds(5));
  shop.cloud().start();
  shop.world().run_for(seconds(30));
  for (int till : {1, 2}) {
    const auto row = shop.till(till).node().row(kProducts, "bun");
    REQUIRE(row);
    CHECK(row->fields == "v1");
  }
}
