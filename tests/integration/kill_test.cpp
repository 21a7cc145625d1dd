// Real processes, killed for real, at random moments while sales run.
#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <thread>

#include "storage/base/random.hpp"
#include "tests/integration/support.hpp"
#include "tools/demo/feed.hpp"
#include "tools/demo/reconcile.hpp"

using namespace tillsync;
using namespace tillsync::demo;

namespace {

sales::SalesFile made_up_sales(std::size_t n) {
  sales::SalesFile file;
  for (std::size_t i = 0; i < n; ++i) {
    OpDraft draft{.kind = OpKind::sale, .key = "invoice/" + std::to_string(i), .cashier = {}, .document = {}};
    draft.document.lines.push_back({"sku-" + std::to_string(i % 7), Quantity::units(1), 100, {}});
    file.sold["sku-" + std::to_string(i % 7)] += 1000;
    file.milli += 1000;
    file.ops.push_back(std::move(draft));
  }
  return file;
}

bool all_quiet(Fleet& fleet, const sales::SalesFile& file) {
  for (std::size_t i = 0; i < fleet.tills(); ++i) {
    const auto status = fleet.till(i).connect().ask(api::StatusRequest{});
    if (!status || status->unsent != 0 || status->relaying != 0 || status->fork_open) return false;
    if (!stock_settled(fleet.till(i), file)) return false;
  }
  return true;
}

struct Plan {
  int kills;
  std::size_t sales;
  std::string store;
  std::function<void()> strike_database;  // as one of the victims, if there is one
};

// Whoever is killed is started again at once.
void kill_at_random(const Plan& plan) {
  const test::Folder folder;
  const sales::SalesFile file = made_up_sales(plan.sales);
  const std::uint64_t seed = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
  CAPTURE(seed);
  Random random(seed);
  Fleet fleet(3, folder.path, test::program(), plan.store);
  Feed feed(fleet, file.ops, 300);
  feed.release(1.0);
  int kills = 0, cloud_kills = 0, database_kills = 0;
  int stops = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(120 + plan.kills);
  while ((kills < plan.kills || feed.recorded() < file.ops.size()) && std::chrono::steady_clock::now() < end) {
    REQUIRE_FALSE(feed.failure());
    if (kills < plan.kills) {
      const std::uint64_t victim = random.below(fleet.tills() + (plan.strike_database ? 2 : 1));
      if (victim > fleet.tills()) {
        plan.strike_database(), ++database_kills;
      } else if (victim == fleet.tills()) {
        fleet.cloud().kill();
        fleet.cloud().start(), ++cloud_kills;
      } else if (random.below(8) == 0) {  // stands still for longer than a lease
        fleet.till(victim).pause();
        std::this_thread::sleep_for(std::chrono::milliseconds(random.below(4000)));
        fleet.till(victim).resume(), ++stops;
        continue;
      } else {
        feed.pause(victim);
        fleet.till(victim).kill();
        fleet.till(victim).start();
        feed.resume(victim);
      }
      ++kills;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(random.below(200)));  // chance is the point here
  }
  REQUIRE(kills >= plan.kills);
  REQUIRE(feed.recorded() == file.ops.size());
  feed.stop();
  bool quiet = false;
  while (!(quiet = all_quiet(fleet, file)) && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  REQUIRE(quiet);
  Report report;
  report.units_in_milli = file.milli;
  reconcile(fleet, file, feed.dealt(), report);
  CHECK(report.lost == 0);
  CHECK(report.duplicated == 0);
  CHECK(report.order_violations == 0);
  CHECK(report.stock_mismatches == 0);
  CHECK(report.units_in_cloud_milli == file.milli);
  MESSAGE(kills << " kills, " << cloud_kills << " of them of the cloud, " << database_kills << " of the database; "
                << stops << " times one stood still; " << report.ops_in_cloud << " ops in the cloud");
}

}  // namespace

TEST_CASE("tills, host and cloud are killed a hundred times while sales run: every receipt is in the cloud, once") {
  const char* kills = std::getenv("TILLSYNC_KILLS");
  const int n = kills == nullptr ? 110 : std::atoi(kills);
  kill_at_random({n, static_cast<std::size_t>(n) * 55, {}, {}});
}

TEST_CASE("the same with PostgreSQL, which crashes as well") {
  const char* control = std::getenv("TILLSYNC_POSTGRES_CONTROL");
  if (control == nullptr) {
    MESSAGE("no PostgreSQL here: run tests/with_postgres.sh");
    return;
  }
  kill_at_random({40, 3000, "postgresql", [&] {
                    REQUIRE(std::system((std::string(control) + " crash").c_str()) == 0);
                    REQUIRE(std::system((std::string(control) + " start").c_str()) == 0);
                  }});
}
