// Two cloud processes on one database: a branch may talk to either.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/integration/shop.hpp"
#include "tools/demo/fleet.hpp"

using namespace tillsync;
using namespace tillsync::test;
using namespace std::chrono_literals;

namespace {

client::Process another_cloud(const std::string& folder, const std::string& like) {
  std::filesystem::create_directories(folder);
  std::filesystem::copy_file(like + "/identity.key", folder + "/identity.key");  // one key for all of them
  return {
      "cloud-2", folder, {program(), "cloud", "--data", folder, "--store", "postgresql", "--listen", "127.0.0.1:0"}};
}

}  // namespace

TEST_CASE("what one cloud process is told reaches a till at the other; a till goes on with whichever answers") {
  if (std::getenv("PGHOST") == nullptr) {
    MESSAGE("no PostgreSQL here: run tests/with_postgres.sh");
    return;
  }
  const Folder folder;
  demo::Fleet fleet(2, folder.path, program(), "postgresql");
  const int port = fleet.cloud().ask(api::CloudStatusRequest{}).port;
  client::Process second = another_cloud(folder / "cloud-2", folder / "cloud");
  second.start();
  CHECK(second.ask(api::CloudStatusRequest{}).shops.size() == 1);  // it has found the rosters in the record

  // A pull waits at the first process; the second one brings the row.
  write(folder / "prices.ndjson", "{\"id\":\"bread\",\"name\":\"Bread\",\"price\":250}\n");
  const Outcome imported = run({"import", "--data", folder / "cloud-2", "--kind", "product", folder / "prices.ndjson"});
  CHECK(imported.code == 0);
  const auto price_at = [&](std::size_t till) {
    const auto row = fleet.till(till).connect().ask(api::RowRequest{"product", "bread"});
    return row ? row->fields.value("price", 0) : 0;
  };
  CHECK(within(5s, [&] { return price_at(0) == 250 && price_at(1) == 250; }));

  // The first one is killed; another takes its address.
  fleet.cloud().kill();
  second.kill();
  second.listen_on(port);
  second.start();
  fleet.till(0).ask(recording("sale", "s/1", "bread"));
  CHECK(within(20s, [&] { return fleet.till(0).ask(api::StatusRequest{}).unsent == 0; }));
  CHECK(run({"export", "--data", folder / "cloud-2"}).out.find("s/1") != std::string::npos);
  second.kill();
  // A folder knows where its record lies.
  CHECK(run({"export", "--data", folder / "cloud-2"}).out.find("s/1") != std::string::npos);
}
