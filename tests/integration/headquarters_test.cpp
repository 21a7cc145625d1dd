// What headquarters gives and takes: rows in from files of JSON lines, ops out as CSV.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "tests/integration/shop.hpp"
#include "tools/client/sales/csv.hpp"

using namespace tillsync;
using namespace tillsync::test;
using namespace std::chrono_literals;

namespace {

// A cloud that serves one branch.
client::Process make_cloud(const Folder& f) {
  const std::string key = after(run({"cloud", "init", "--data", f / "cloud"}).out, "key ");
  REQUIRE(run({"roster", "init", "--out", f / "shop", "--tenant", "Bakery", "--branch", "main"}).code == 0);
  REQUIRE(run({"roster", "add", "--roster", f / "shop/main.roster", "--tenant-key", f / "shop/tenant.key", "--name",
               "cloud", "--role", "cloud", "--key", key})
              .code == 0);
  client::Process cloud("cloud", f / "cloud", {program(), "cloud", "--data", f / "cloud", "--listen", "127.0.0.1:0"});
  cloud.start();
  (void)cloud.connect();
  REQUIRE(run({"roster", "import", f / "shop/main.roster", "--data", f / "cloud"}).code == 0);
  return cloud;
}

// The columns from the invoice on, but for the time: what another till would make of it.
std::vector<std::string> content_of(const std::string& csv) {
  std::vector<std::string> out;
  std::istringstream in(csv);
  sales::read_csv(in, [&](const sales::CsvRow& row) {
    for (std::size_t i = 6; i < row.fields.size(); ++i) {
      if (i != 7) out.push_back(row.fields[i]);
    }
  });
  return out;
}

}  // namespace

TEST_CASE("an import that is killed goes on where it ended; a bad line is told by its number, or stops it") {
  const Folder f;
  client::Process cloud = make_cloud(f);
  constexpr int kRows = 120'000;
  {
    std::ofstream file(f / "products.ndjson");
    for (int i = 1; i <= kRows; ++i)
      file << "{\"id\":\"p" << i << "\",\"name\":\"Product " << i << "\",\"price\":" << i % 1000 << "}\n";
  }
  const std::vector<std::string> import{"import", "--data", f / "cloud", "--kind", "product", f / "products.ndjson"};
  client::Process killed("import", f / "import",
                         {program(), "import", "--data", f / "cloud", "--kind", "product", f / "products.ndjson"});
  const auto products = [&] { return cloud.ask(api::ImportCheckpointRequest{}).checkpoint; };
  killed.start();
  REQUIRE(within(20s, [&] { return !products().empty(); }));
  killed.kill();
  cloud.kill();
  cloud.start();
  (void)cloud.connect();
  const Outcome rest = run(import);
  CHECK(rest.code == 0);
  CHECK(rest.err.find("going on after line ") != std::string::npos);
  const api::Values rows = cloud.ask(api::RowsRequest{});
  REQUIRE(rows.size() == kRows);
  CHECK(rows.at("p120000")["price"] == 0);
  CHECK(run(import).out.find("120000 rows read, 0 changed") != std::string::npos);  // again, whole: nothing to do

  write(f / "bad.ndjson", "{\"id\":\"a\"}\nnonsense\n{\"id\":\"b\"}\n{\"name\":\"c\"}\n");
  const Outcome skipped = run({"import", "--data", f / "cloud", "--kind", "tax", f / "bad.ndjson"});
  CHECK(skipped.code == 0);
  CHECK(skipped.err.find("line 2: no JSON object; left out") != std::string::npos);
  CHECK(skipped.err.find("line 4: no \"id\"") != std::string::npos);
  CHECK(skipped.out.find("2 rows read, 2 changed, 2 left out") != std::string::npos);
  const Outcome stopped =
      run({"import", "--data", f / "cloud", "--kind", "price", "--on-bad", "stop", f / "bad.ndjson"});
  check_refusal(stopped, "line 2: no JSON object");
  write(f / "bad.ndjson", "{\"id\":\"a\"}\n{\"id\":\"mended\"}\n{\"id\":\"b\"}\n");
  const Outcome mended =
      run({"import", "--data", f / "cloud", "--kind", "price", "--on-bad", "stop", f / "bad.ndjson"});
  CHECK(mended.err.find("going on after line 1") != std::string::npos);
  CHECK(mended.out.find("2 rows read, 2 changed") != std::string::npos);
  check_refusal(run({"import", "--data", f / "cloud", "--kind", "stock", f / "bad.ndjson"}), "can't be imported");

  cloud.kill();
  check_refusal(run({"cloud", "--data", f / "cloud", "--store", "postgresql://elsewhere/tillsync"}), "lies in LMDB");
  REQUIRE(run({"cloud", "init", "--data", f / "fresh"}).code == 0);
  check_refusal(run({"cloud", "--data", f / "fresh", "--store", "mysql://elsewhere"}), "address can't be read");
}

TEST_CASE("an export as CSV is read again by an import, whatever the names hold") {
  const Folder f;
  make_till(f, "till-1"), make_till(f, "till-2");
  write(
      f / "sales.csv",
      "Invoice,Item,Quantity,Price,Description,Customer\n1,a,2,1.50,\"Bread, \"\"dark\"\"\",Ada\n1,b,0.25,12,Käse,Ada\n"
      "C2,a,-1,1.50,\"two\nlines\",\n3,\"with space\",3,0.05,=1+1,\n");
  REQUIRE(run({"import", "--data", f / "till-1", f / "sales.csv"}).code == 0);
  const Outcome first = run({"export", "--data", f / "till-1", "--format", "csv", "--out", f / "out.csv"});
  CHECK(first.code == 0);
  const Outcome again = run({"import", "--data", f / "till-2", f / "out.csv"});
  CAPTURE(again.err);
  CHECK(again.out.find("3 ops of 3 invoices recorded, 0 rows left out") != std::string::npos);
  const std::string one = run({"export", "--data", f / "till-1", "--format", "csv"}).out;
  const std::string two = run({"export", "--data", f / "till-2", "--format", "csv"}).out;
  CHECK(one.find("\"Bread, \"\"dark\"\"\"") != std::string::npos);
  CHECK(one.find(",-1,1.50,") != std::string::npos);
  CHECK(content_of(one) == content_of(two));
}
