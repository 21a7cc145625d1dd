// A till's database and journal: what a start finds, and which segments go.
#include "transport/files/till_files.hpp"

#include <doctest/doctest.h>

#include "sim/world/fleet.hpp"
#include "tests/scratch.hpp"

using namespace tillsync;

namespace {

struct Machine {
  test::Folder folder;
  sim::SimDisk disk{Random(1)};
  JournalSizes sizes = {};

  Result<TillFiles::Started> start() {
    return TillFiles::start(disk, {.database = folder / "db", .journal = "journal", .sizes = sizes});
  }
};

}  // namespace

TEST_CASE("a first start finds nothing, and the next one finds what was flushed since the checkpoint") {
  Machine machine;
  {
    auto first = machine.start();
    REQUIRE(first);
    CHECK(first->recovered.tail.empty());
    CHECK_FALSE(first->not_shrunk);
    REQUIRE(first->files->journal().append({"one", "two"}));
  }
  {
    auto second = machine.start();
    REQUIRE(second);
    CHECK(second->recovered.tail == std::vector<Bytes>{"one", "two"});
    TillState state;
    state.checkpoint = second->files->journal().end();
    StoreBatch batch;
    batch.state(state);
    REQUIRE(second->files->store().commit(batch));
    REQUIRE(second->files->journal().append({"three"}));
  }
  auto third = machine.start();
  REQUIRE(third);
  CHECK(third->recovered.tail == std::vector<Bytes>{"three"});
  CHECK(third->recovered.report.damage.empty());
}

TEST_CASE("a start on a full disk says so, and the next one with space goes on") {
  Machine machine;
  machine.disk.set_full(true);
  const auto refused = machine.start();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::disk_full);
  machine.disk.set_full(false);
  CHECK(machine.start());
}

TEST_CASE("segments go from the oldest on, and the one being written is ended only if it still is the one") {
  Machine machine;
  machine.sizes = {.segment = 600, .least_room = 100};
  auto started = machine.start();
  REQUIRE(started);
  TillFiles& files = *started->files;
  for (int i = 0; i < 10; ++i) REQUIRE(files.journal().append({Bytes(250, 'x')}));
  const auto before = files.segments().value();
  REQUIRE(before.size() >= 4);
  const std::uint32_t newest = before.back().number;

  files.retire({.last = 0, .ends = newest - 1, .of = {}});  // somebody was quicker
  CHECK(files.journal().end().segment == newest);
  files.retire({.last = 2, .ends = newest, .of = {1, 2, 3, newest}});
  CHECK(files.journal().end().segment == newest + 1);
  const auto after = files.segments().value();
  CHECK(after.front().number == 3);
}

TEST_CASE("no segments ask the core nothing; a shop that keeps little lets its old ones go") {
  sim::FleetPlan plan;
  plan.keep = seconds(2);
  sim::Fleet fleet(plan);
  CHECK(TillFiles::retirement(fleet.till(1).node(), {}, fleet.till(1).now()).nothing());
  for (int i = 0; i < 100; ++i) fleet.sell(1, "sale/" + std::to_string(i)), fleet.world().run_for(milliseconds(50));
  REQUIRE(fleet.settle(seconds(60)));
  fleet.world().run_for(seconds(20));
  const auto files = fleet.till(1).disk().used();
  CHECK_FALSE(files.contains("journal/00000001.journal"));
  CHECK_FALSE(files.empty());
}
