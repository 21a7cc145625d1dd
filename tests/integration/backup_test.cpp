// The cloud's disk dies, and yesterday's backup is put back: today comes back from the tills, by itself.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "storage/disk/data_folder.hpp"
#include "tests/integration/paired_shop.hpp"
#include "tests/integration/shop.hpp"
#include "tools/client/folder.hpp"
#include "tools/demo/fleet.hpp"

using namespace tillsync;
using namespace tillsync::test;
using namespace std::chrono_literals;

namespace {

void check_all_there(const std::string& exported, int sales) {
  for (int i = 0; i < sales; ++i) {
    const std::string key = "\"key\":\"s/" + std::to_string(i) + "\"";
    const std::size_t at = exported.find(key);
    CHECK_MESSAGE(at != std::string::npos, key);
    CHECK_MESSAGE(exported.find(key, at + 1) == std::string::npos, "twice: " << key);
  }
}

}  // namespace

TEST_CASE("the same with PostgreSQL, by pg_dump and pg_restore") {
  if (std::getenv("PGHOST") == nullptr || shell("pg_dump --version").code != 0) {
    MESSAGE("no PostgreSQL here: run tests/with_postgres.sh");
    return;
  }
  const std::string url = "postgresql:///backed_up";
  REQUIRE(shell("psql -qc 'CREATE DATABASE backed_up'").code == 0);
  const Folder folder;
  demo::Fleet fleet(2, folder.path, program(), url);
  int sales = 0;
  const auto sell = [&](int n) {
    for (int i = 0; i < n; ++i, ++sales) {
      (void)fleet.till(static_cast<std::size_t>(sales % 2))
          .ask(recording("sale", "s/" + std::to_string(sales), "bread"));
    }
  };
  const auto unsent = [&](std::size_t till) { return fleet.till(till).ask(api::StatusRequest{}).unsent; };
  const auto drained = [&] { return within(30s, [&] { return unsent(0) == 0 && unsent(1) == 0; }); };
  sell(10);
  REQUIRE(drained());
  REQUIRE(shell("pg_dump -Fc -f " + folder / "record.dump" + " backed_up").code == 0);
  sell(20);
  REQUIRE(drained());
  fleet.cloud().kill();
  REQUIRE(shell("psql -qc 'DROP DATABASE backed_up WITH (FORCE)' -c 'CREATE DATABASE backed_up'").code == 0);
  REQUIRE(shell("pg_restore -d backed_up " + folder / "record.dump").code == 0);
  REQUIRE(run({"restore", "--data", folder / "cloud"}).code == 0);
  sell(4);
  fleet.cloud().start();
  CHECK(within(40s, [&] { return fleet.cloud().ask(api::StockRequest{})["bread"] == -1000 * sales; }));
  CHECK(drained());
  check_all_there(run({"export", "--data", folder / "cloud"}).out, sales);
}

TEST_CASE("a cloud that is restored from yesterday's backup gets today back from its tills") {
  PairedShop shop;
  int sales = 0;
  const auto sell = [&](int n) {
    for (int i = 0; i < n; ++i, ++sales)
      shop.record(sales % 2 == 0 ? "till-1" : "till-2", "sale", "s/" + std::to_string(sales), "bread");
  };
  sell(10);
  shop.settle_down();
  const std::string backup = shop.f / "backup";
  CHECK(shop.tell({"backup", "--to", backup}, "cloud").code == 0);  // while it runs
  check_refusal(shop.tell({"backup", "--to", backup}, "cloud"), "is not empty");
  check_refusal(shop.tell({"backup", "--to", shop.f / "b2"}, "till-1"), "needs no backup");
  sell(30);
  shop.settle_down();
  check_refusal(shop.tell({"restore"}, "cloud"), "in use");  // it runs
  shop.stop_cloud();
  std::filesystem::remove_all(shop.f / "cloud");
  check_refusal(shop.tell({"restore", "--from", shop.f / "till-1/db"}, "cloud"), "is no backup of a cloud");
  REQUIRE(shop.tell({"restore", "--from", backup}, "cloud").code == 0);
  sell(5);
  shop.start_cloud();
  const auto exported = [&] { return shop.tell({"export"}, "cloud").out; };
  CHECK(within(40s, [&] { return exported().find("\"s/" + std::to_string(sales - 2) + "\"") != std::string::npos; }));
  shop.settle_down();
  CHECK(within(20s, [&] {
    return exported().find("\"s/0\"") != std::string::npos &&
           shop.ask("cloud", api::StockRequest{})["bread"] == -1000 * sales;
  }));
  check_all_there(exported(), sales);
  CHECK(shop.ask("till-2", api::StockRequest{})["bread"] == -1000 * sales);
  for (const Json& conflict : shop.conflicts("cloud")) CHECK(conflict["kind"] != "forked_history");
}
