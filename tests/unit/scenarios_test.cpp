// What shops have met elsewhere, each as a story in the simulated branch. The numbers name public reports of other
// systems.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "engine/till/rebuilt_state.hpp"
#include "sim/draw/draw.hpp"
#include "sim/rules/rules.hpp"
#include "sim/scenario/run.hpp"

using namespace tillsync;
using sim::FleetPlan;
using sim::SimTill;

namespace {

struct Watch {
  sim::Rules rules;
};

// One branch, with every rule watched over.
struct Branch : Watch, sim::Fleet {
  Branch(std::uint64_t seed, int tills, std::uint32_t lease_ms = 3000)
      : Fleet(FleetPlan{seed, 1, tills, lease_ms}, &rules) {
    rules.watch_over(*this);
  }
};

// Sells at every till, one op a step, for a while.
void sell_everywhere(Branch& branch, const std::string& prefix, int each, Duration step) {
  for (int i = 0; i < each; ++i) {
    for (int t = 1; t <= branch.size(); ++t) branch.sell(t, prefix + "/" + std::to_string(t) + "/" + std::to_string(i));
    branch.world().run_for(step);
  }
}

void check_all_is_well(Branch& branch) {
  REQUIRE(branch.settle(std::chrono::minutes(5)));
  branch.rules.when_settled();
  for (const std::string& rule : branch.rules.broken()) FAIL_CHECK(rule);
}

std::size_t receipts(Branch& branch) {
  std::size_t n = 0;
  for (int t = 1; t <= branch.size(); ++t) n += branch.till(t).receipts().size();
  return n;
}

}  // namespace

TEST_CASE("three tills find a host, and every sale reaches the cloud once") {
  Branch branch(1, 3);
  REQUIRE(branch.world().run_until([&] { return branch.host() != nullptr; }, seconds(10)));
  sell_everywhere(branch, "day", 50, milliseconds(40));
  check_all_is_well(branch);
  CHECK(receipts(branch) == 150);
  CHECK(branch.cloud_stock().at("bread") == -150'000);
}

TEST_CASE("power goes right after 'paid': the sale is still there (Odoo 125037)") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Branch branch(seed, 1);
    branch.world().run_for(seconds(3));
    branch.sell(1, "paid");
    REQUIRE(branch.world().run_until([&] { return !branch.till(1).receipts().empty(); }, seconds(1)));
    branch.till(1).crash(true);
    branch.till(1).start();
    check_all_is_well(branch);
    CHECK(branch.till(1).node().where("paid").value() == Level::cloud);
  }
}

TEST_CASE("the network goes in the middle of a sync, and again during the retry (Odoo 267799, 261096)") {
  Branch branch(7, 3);
  branch.network().cut_off("cloud");
  sell_everywhere(branch, "offline", 100, milliseconds(20));
  for (int round = 0; round < 8; ++round) {
    branch.network().mend_all();
    branch.world().run_for(milliseconds(350 + 10 * round));  // long enough to begin, too short to finish
    branch.network().cut_off("cloud");
    branch.world().run_for(seconds(9));
  }
  branch.network().mend_all();
  check_all_is_well(branch);
  CHECK(receipts(branch) == 300);
}

TEST_CASE("an outage of three days dead-letters nothing and stops nothing") {
  Branch branch(8, 2, 60'000);  // a long lease: three days of renewals are not the point here
  branch.world().run_for(seconds(90));
  branch.network().cut_off("cloud");
  for (int hour = 0; hour < 72; ++hour) {
    branch.sell(1, "a" + std::to_string(hour));
    branch.sell(2, "b" + std::to_string(hour));
    branch.world().run_for(std::chrono::hours(1));
  }
  CHECK(receipts(branch) == 144);
  branch.network().mend_all();
  check_all_is_well(branch);
}

TEST_CASE("a till restored from yesterday's backup goes on selling, and neither history is lost") {
  Branch branch(9, 3);
  sell_everywhere(branch, "yesterday", 30, milliseconds(50));
  REQUIRE(branch.settle(seconds(60)));
  branch.till(2).crash(false);
  const auto backup = branch.till(2).backup();
  branch.till(2).start();
  sell_everywhere(branch, "today", 30, milliseconds(50));
  REQUIRE(branch.settle(seconds(60)));
  branch.till(2).crash(true);
  branch.till(2).restore(backup);
  branch.till(2).start();
  sell_everywhere(branch, "afterwards", 30, milliseconds(50));
  check_all_is_well(branch);
  const auto conflicts = branch.conflicts();
  CHECK(std::any_of(conflicts.begin(), conflicts.end(), [](const Conflict& c) { return c.kind == "forked_history"; }));
  CHECK(branch.till(2).node().where("today/2/5").value() == Level::cloud);  // forgotten by the backup, fetched back
  CHECK(branch.till(2).node().status(branch.till(2).now()).forks == 1);
}

TEST_CASE("a backup restored while nobody can be reached re-issues under a new incarnation what only it has") {
  Branch branch(10, 2);
  sell_everywhere(branch, "before", 10, milliseconds(50));
  REQUIRE(branch.settle(seconds(60)));
  branch.till(1).crash(false);
  const auto backup = branch.till(1).backup();
  branch.till(1).start();
  sell_everywhere(branch, "known", 10, milliseconds(50));
  REQUIRE(branch.settle(seconds(60)));
  branch.till(1).crash(true);
  branch.till(1).restore(backup);
  branch.till(1).start();
  branch.network().cut_off("till-1");
  for (int i = 0; i < 10; ++i) {
    branch.sell(1, "alone/" + std::to_string(i));
    branch.world().run_for(milliseconds(100));
  }
  branch.network().mend_all();
  check_all_is_well(branch);
  CHECK(branch.till(1).node().where("alone/3").value() == Level::cloud);
  CHECK(branch.till(1).node().where("known/1/3").value() == Level::cloud);
}

TEST_CASE("a till whose clock is a day wrong sells, infects nobody, and is re-dated") {
  for (const std::int64_t wrong : {-86'400'000LL, 86'400'000LL}) {
    Branch branch(11, 3);
    branch.till(3).crash(false);
    branch.till(3).clock().offset_ms = wrong;
    branch.till(3).start();
    branch.sell(3, "early");
    sell_everywhere(branch, "day", 20, milliseconds(100));
    check_all_is_well(branch);
    const std::int64_t truth = branch.till(1).now().wall_ms;
    for (int t : {1, 2}) CHECK(std::abs(branch.till(t).node().own().hlc().millis() - truth) < 60'000);
    CHECK(std::abs(branch.till(3).node().status(branch.till(3).now()).clock_offset_ms + wrong) < 3000);
    branch.sell(3, "late");
    check_all_is_well(branch);
    CHECK(std::abs(branch.till(3).node().own().hlc().millis() - branch.till(1).now().wall_ms) < 10'000);
  }
}

TEST_CASE("a till with a full disk sells on in the room that it has, refuses a sale whole, and resumes with space") {
  Branch branch(12, 2);
  branch.world().run_for(seconds(3));
  branch.sell(1, "one");
  branch.world().run_for(seconds(1));
  branch.till(1).disk().set_full(true);
  std::string refused;
  for (int i = 0; branch.till(1).refusals().empty() && i < 2000; ++i) {
    refused = "full/" + std::to_string(i);
    branch.sell(1, refused);
    branch.world().run_for(milliseconds(5));
  }
  REQUIRE(branch.till(1).refusals().size() == 1);
  CHECK(branch.till(1).refusals()[0].kind == ErrorKind::disk_full);
  CHECK(branch.till(1).node().where(refused).error().kind == ErrorKind::not_found);
  const std::size_t before = branch.till(1).receipts().size();
  CHECK(before >= 8);  // as many as fit behind the first
  branch.till(1).disk().set_full(false);
  branch.sell(1, "two");
  check_all_is_well(branch);
  CHECK(branch.till(1).receipts().size() == before + 1);
}

TEST_CASE("a rotten journal record is named, and what the others hold of it comes back") {
  Branch branch(13, 3);
  branch.network().cut_off("cloud");  // its rows would have the database written at once
  branch.world().run_for(seconds(12));
  for (int i = 0; i < 5; ++i) branch.sell(2, "held/" + std::to_string(i)), branch.world().run_for(milliseconds(5));
  branch.world().run_for(milliseconds(60));  // pushed, but not yet checkpointed
  branch.till(2).crash(true);
  REQUIRE(branch.till(2).disk().rot("journal/00000001.journal", 300));
  branch.till(2).start();
  const auto& said = branch.till(2).notices();
  CHECK(std::any_of(said.begin(), said.end(), [](const std::string& s) {
    return s.find("journal is damaged at segment 1") != std::string::npos;
  }));
  branch.sell(2, "after");
  branch.network().mend_all();
  check_all_is_well(branch);
  for (int i = 0; i < 5; ++i) CHECK(branch.till(2).node().where("held/" + std::to_string(i)).value() == Level::cloud);
}

TEST_CASE(
    "a till whose database and older journal are gone gets its history back from the cloud, and no fork comes of it") {
  Branch branch(16, 3);
  sell_everywhere(branch, "old", 30, milliseconds(50));
  REQUIRE(branch.settle(seconds(60)));
  SimTill& till = branch.till(2);
  Op next;  // the oldest op that the journal would still have
  next.chain = till.node().own().chain();
  next.seq = till.node().own().last().seq.next();
  next.prev = till.node().own().last().hash;
  till.crash(false);
  till.lose_everything(state_before(next));
  till.start();
  sell_everywhere(branch, "new", 10, milliseconds(50));
  check_all_is_well(branch);
  CHECK(branch.conflicts().empty());
  for (const char* key : {"old/2/0", "old/2/29", "new/2/3"}) CHECK(till.node().where(key).value() == Level::cloud);
}

TEST_CASE("within a second of being connected every sale is on two disks, the host's own too") {
  Branch branch(14, 3);
  REQUIRE(branch.world().run_until([&] { return branch.host() != nullptr; }, seconds(10)));
  branch.network().cut_off("cloud");
  branch.world().run_for(seconds(10));
  sell_everywhere(branch, "x", 5, milliseconds(100));
  branch.world().run_for(seconds(1));
  for (int t = 1; t <= 3; ++t) CHECK(branch.till(t).node().status(branch.till(t).now()).one_disk_only == 0);
}

TEST_CASE("the same seed gives the same trace, another seed another one") {
  auto run = [](std::uint64_t seed) {
    Branch branch(seed, 3);
    sell_everywhere(branch, "t", 20, milliseconds(50));
    branch.till(1).crash(true);
    branch.world().run_for(seconds(5));
    return branch.world().trace_hash();
  };
  CHECK(run(42) == run(42));
  CHECK(run(42) != run(43));
  const char* path = std::getenv("TILLSYNC_TRACE_HASHES");
  std::ofstream file(path != nullptr ? path : "/dev/null");  // ./dev test compares those of two builds
  for (std::uint64_t seed = 1; seed <= 12; ++seed) file << sim::play(sim::draw_scenario(seed)).trace_hash << '\n';
}

TEST_CASE("why the host changed is remembered, also over a restart") {
  Branch branch(16, 3);
  REQUIRE(branch.world().run_until([&] { return branch.host() != nullptr; }, seconds(10)));
  branch.host()->crash(false);
  branch.world().run_for(seconds(10));
  SimTill& till = branch.till(branch.till(1).alive() ? 1 : 2);
  const auto before = till.node().host_history();
  REQUIRE(before.size() >= 3);  // one was elected, it ran out, another one was elected
  CHECK(std::any_of(before.begin(), before.end(), [](const HostChange& c) { return c.host.empty(); }));
  till.crash(false);
  till.start();
  const auto after = till.node().host_history();
  REQUIRE(after.size() >= before.size());
  CHECK(after[before.size() - 1].reason == before.back().reason);
}

TEST_CASE("rows come down by version, survive a change of host, and a deleted one stays deleted") {
  Branch branch(15, 3);
  const FeedKind products{"tenant", "product"};
  for (int i = 0; i < 50; ++i) branch.cloud().put_row(branch.shop(), {products, "p" + std::to_string(i), false, "v1"});
  branch.world().run_for(seconds(12));
  REQUIRE(branch.host() != nullptr);
  branch.host()->crash(true);
  branch.cloud().put_row(branch.shop(), {products, "p1", false, "v2"});
  branch.cloud().put_row(branch.shop(), {products, "p2", true, ""});
  branch.world().run_for(seconds(20));
  for (int t = 1; t <= 3; ++t) {
    if (!branch.till(t).alive()) branch.till(t).start();
  }
  branch.world().run_for(seconds(10));
  for (int t = 1; t <= 3; ++t) {
    CHECK(branch.till(t).node().row(products, "p1")->fields == "v2");
    CHECK(branch.till(t).node().row(products, "p2")->deleted);
    CHECK(branch.till(t).node().row(products, "p49")->fields == "v1");
    CHECK(branch.till(t).node().status(branch.till(t).now()).rows_diverged == 0);
  }
}
