// The mains fail at a random moment of a busy till, again and again, and the disk keeps no more than it must.
#include <doctest/doctest.h>

#include "tests/scratch.hpp"
#include "tests/torture/busy_till.hpp"
#include "tests/torture/scale.hpp"

using namespace tillsync;
using namespace tillsync::torture;

TEST_CASE(
    "power cuts at random points of a busy till: whatever has a receipt is there, once, and nothing looks damaged") {
  constexpr int kCutsEach = 20;
  std::uint64_t cuts = 0, receipts = 0, starts_cut = 0;
  for (std::uint64_t seed = 1; cuts < scaled(2000, 200); ++seed) {
    CAPTURE(seed);
    const test::Folder folder;
    Random random(seed);
    SectorDisk disk{Random(seed)};
    BusyTill till(disk, folder / "db", seed);
    for (int cut = 0; cut < kCutsEach; ++cut) {
      disk.cut_at(1 + random.below(150));
      try {
        const auto started = till.start();
        REQUIRE(started);
        REQUIRE(till.broken_promise() == "");
        till.sell(1000);
      } catch (const PowerCut&) {
        ++cuts;
        starts_cut += till.runs() ? 0 : 1;
      }
      till.stop();
      disk.come_back();
    }
    REQUIRE(till.start());
    CHECK(till.broken_promise() == "");
    for (const JournalDamage& damage : till.report().damage) CHECK_FALSE(damage.behind_flush);
    for (const std::string& alarm : till.alarms()) CHECK(alarm.find("is damaged") == std::string::npos);
    CHECK(till.refusals().empty());
    receipts += till.receipts();
  }
  MESSAGE(cuts << " cuts, " << starts_cut << " of them during a start; " << receipts << " receipts");
}
