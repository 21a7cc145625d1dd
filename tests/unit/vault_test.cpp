// What a till keeps of its own sales, and when it lets them go.
#include <doctest/doctest.h>

#include <filesystem>

#include "sim/world/fleet.hpp"
#include "storage/lmdb/lmdb_shrink.hpp"
#include "tests/scratch.hpp"

using namespace tillsync;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

sim::FleetPlan short_memory(int tills = 1) {
  sim::FleetPlan plan;
  plan.tills = tills;
  plan.keep = seconds(10);
  return plan;
}

std::uint64_t kept(sim::SimTill& till) { return till.node().status(till.now()).kept; }

void sell(sim::Fleet& fleet, int till, int from, int count) {
  for (int i = from; i < from + count; ++i) fleet.sell(till, "sale/" + std::to_string(till) + "/" + std::to_string(i));
}

std::uintmax_t file_size(const test::Folder& folder) { return std::filesystem::file_size(folder / "data.mdb"); }

}  // namespace

TEST_CASE("what the cloud holds goes when its days are over; what it lacks stays, however old") {
  sim::Fleet fleet(short_memory());
  sell(fleet, 1, 0, 3000);
  REQUIRE(fleet.settle(minutes(2)));
  CHECK(kept(fleet.till(1)) >= 2000);
  fleet.world().run_for(minutes(1));
  CHECK(kept(fleet.till(1)) == 2);  // the cloud's watermark, and the one before it
  fleet.network().cut_off("cloud");
  sell(fleet, 1, 3000, 50);
  fleet.world().run_for(minutes(5));
  CHECK(kept(fleet.till(1)) == 52);
  fleet.network().mend_all();
  REQUIRE(fleet.settle(minutes(2)));
  fleet.world().run_for(minutes(1));
  CHECK(kept(fleet.till(1)) == 2);
  CHECK(fleet.cloud_stock()["bread"] == -3'050'000);
  CHECK(fleet.till(1).node().status(fleet.till(1).now()).forks == 0);
}

TEST_CASE("a key whose sale the till has let go takes effect once: the cloud remembers it") {
  sim::Fleet fleet(short_memory());
  sell(fleet, 1, 0, 10);
  REQUIRE(fleet.settle(minutes(2)));
  fleet.world().run_for(minutes(1));
  sell(fleet, 1, 0, 1);
  REQUIRE(fleet.settle(minutes(2)));
  CHECK(fleet.cloud_stock()["bread"] == -10'000);
}

TEST_CASE("a till that restarts with little in its vault goes on where it was, and so does a new host") {
  sim::Fleet fleet(short_memory(3));
  for (int till = 1; till <= 3; ++till) sell(fleet, till, 0, 20);
  REQUIRE(fleet.settle(minutes(2)));
  fleet.world().run_for(minutes(1));
  for (int till = 1; till <= 3; ++till) {
    fleet.till(till).crash(true);
    fleet.world().run_for(seconds(10));
    fleet.till(till).start();
    sell(fleet, till, 100, 5);
    fleet.world().run_for(seconds(10));
  }
  REQUIRE(fleet.settle(minutes(2)));
  for (int till = 1; till <= 3; ++till) CHECK(fleet.till(till).node().status(fleet.till(till).now()).forks == 0);
  CHECK(fleet.cloud_stock()["bread"] == -75'000);
}

TEST_CASE("a cloud restored from a backup older than what tills keep: they go on in new histories, and all arrives") {
  sim::Fleet fleet(short_memory(2));
  SUBCASE("from before their first sale") {}
  SUBCASE("from after a few") {
    for (int till = 1; till <= 2; ++till) sell(fleet, till, 0, 5);
  }
  REQUIRE(fleet.settle(minutes(2)));
  fleet.cloud().backup();
  const std::int64_t before = fleet.cloud_stock()["bread"];
  for (int till = 1; till <= 2; ++till) sell(fleet, till, 100, 20);
  REQUIRE(fleet.settle(minutes(2)));
  fleet.world().run_for(minutes(1));  // all of it is let go, but for the end
  fleet.cloud().restore();
  for (int till = 1; till <= 2; ++till) sell(fleet, till, 200, 30);
  REQUIRE(fleet.settle(minutes(5)));
  for (int till = 1; till <= 2; ++till) {
    const Status status = fleet.till(till).node().status(fleet.till(till).now());
    CHECK(status.unsent == 0);
    CHECK(status.forks == 1);
    CHECK_FALSE(status.fork_open);
  }
  // The 30 of each, and the two that each still had of what the cloud lost.
  CHECK(fleet.cloud_stock()["bread"] == before - 64'000);
}

TEST_CASE("ops as long as they may be, as fast as they come, go into the database in time: none is told to wait") {
  sim::Fleet fleet(short_memory());
  sim::SimTill& till = fleet.till(1);
  fleet.world().run_for(seconds(5));
  fleet.network().cut_off("cloud");
  for (int i = 0; i < 700; ++i) {  // more than a till keeps without its database
    OpDraft draft;
    draft.kind = OpKind::custom;
    draft.key = std::to_string(i);
    draft.custom_body = Bytes(120'000, 'l');
    till.record(draft);
    fleet.world().run_for(milliseconds(1));
  }
  CHECK(till.refusals().empty());
  fleet.network().mend_all();
  REQUIRE(fleet.settle(minutes(2)));
  CHECK(till.receipts().size() == 700);
}

TEST_CASE("a database of which most is free is made small, once, with all that is in it") {
  test::Folder folder;
  const Bytes op(600, 'o');
  {
    auto store = TillStore::open(folder.path).value();
    StoreBatch batch, erased;
    const ChainId chain{TillId{"till-1"}, Incarnation{7}};
    for (std::uint64_t i = 1; i <= 20'000; ++i) batch.vault_op(chain, Seq{i}, "key/" + std::to_string(i), op);
    for (std::uint64_t i = 1; i <= 19'900; ++i) {
      const std::string key = "key/" + std::to_string(i);
      erased.vault_drop(chain.incarnation, Seq{i}, &key);
    }
    REQUIRE(store->commit(batch));
    REQUIRE(store->commit(erased));
    REQUIRE(store->commit({}));
  }
  const auto before = file_size(folder);
  REQUIRE(lmdb::shrink(folder.path));
  const auto after = file_size(folder);
  CHECK(after < before / 20);
  REQUIRE(lmdb::shrink(folder.path));
  CHECK(file_size(folder) == after);
  auto store = TillStore::open(folder.path).value();
  CHECK(store->verify());
  CHECK(store->view().op_count() == 100);
  CHECK(store->view().op(Incarnation{7}, Seq{20'000}) == op);
  CHECK(store->view().find_key("key/19901").has_value());
  CHECK_FALSE(store->view().find_key("key/19900").has_value());
}
