// A disk that fills up while selling, and what an idle till costs.
#include <doctest/doctest.h>

#include <unistd.h>

#include <fstream>
#include <thread>

#include "tests/integration/support.hpp"
#include "tools/demo/fleet.hpp"

using namespace tillsync;
using client::Process;
using test::Folder;
using test::run;

namespace {

std::uint64_t field_of(const std::string& path, const std::string& name) {
  std::ifstream in(path);
  for (std::string word; in >> word;) {
    if (word == name) {
      std::uint64_t value = 0;
      in >> value;
      return value;
    }
  }
  return 0;
}

// Seconds of processor time so far.
double cpu_seconds(const std::string& pid) {
  std::ifstream in("/proc/" + pid + "/stat");
  std::string word;
  double ticks = 0;
  for (int i = 1; i <= 15 && in >> word; ++i) {
    if (i >= 14) ticks += std::stod(word);
  }
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

api::RecordRequest long_sale(const std::string& key) {
  api::RecordRequest out;
  out.op.key = key;
  out.op.document.note = std::string(3000, 'n');
  out.op.document.lines.push_back({"x", Quantity::units(1), 0, {}});
  return out;
}

}  // namespace

TEST_CASE(
    "when the disk fills up the sale is refused whole, what was confirmed stays, and selling resumes when there is "
    "space") {
  const Folder f;
  if (test::shell("mount -t tmpfs -o size=3m tmpfs '" + f.path + "' && umount '" + f.path + "'").code != 0) {
    MESSAGE("left out: a small file system can't be mounted here (needs root)");
    return;
  }
  REQUIRE(test::shell("mount -t tmpfs -o size=3m tmpfs '" + f.path + "'").code == 0);
  REQUIRE(run({"till", "init", "--data", f / "till-1", "--branch", "main", "--till", "till-1", "--listen",
               "127.0.0.1:0", "--interface", "lo"})
              .code == 0);
  {
    Process till("till-1", f / "till-1", {test::program(), "till", "--data", f / "till-1"});
    till.start();
    ControlClient control = till.connect();
    REQUIRE(test::shell("head -c 100000 /dev/zero > '" + f / "ballast'").code == 0);
    int sold = 0;
    Result<Receipt> last = Receipt{};
    while (sold < 2000 && (last = control.ask(long_sale("k" + std::to_string(sold))))) ++sold;
    REQUIRE_FALSE(last);
    CHECK(last.error().kind == ErrorKind::disk_full);
    CHECK(last.error().message.find("free some space") != std::string::npos);
    CHECK(sold > 50);
    CHECK_FALSE(control.ask(api::WhereRequest{"k" + std::to_string(sold)}));
    CHECK(control.ask(api::StatusRequest{})->accepting);
    REQUIRE(test::shell("rm '" + f / "ballast'").code == 0);
    CHECK(control.ask(long_sale("resumed")));
    till.kill();
    till.start();
    CHECK(till.connect().ask(api::StatusRequest{})->recorded == static_cast<std::uint64_t>(sold) + 1);
  }
  test::shell("umount '" + f.path + "'");
}

TEST_CASE("an idle till with 100,000 product rows uses under 1 % of a core and under 32 MiB of private memory") {
  const Folder f;
  {
    std::ofstream products(f / "products.ndjson");
    for (int i = 0; i < 100'000; ++i) {
      products << "{\"id\":\"sku-" << i << "\",\"name\":\"Product number " << i << "\",\"price\":" << 100 + i % 900
               << ",\"tax\":\"standard\"}\n";
    }
  }
  demo::Fleet fleet(1, f.path, test::program());
  REQUIRE(run({"import", "--data", f / "cloud", "--kind", "product", f / "products.ndjson"}).code == 0);
  ControlClient control = fleet.till(0).connect();
  std::uint64_t rows = 0;
  for (int i = 0; i < 600 && rows < 100'000; ++i) {
    rows = control.ask(api::StatusRequest{})->rows;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  REQUIRE(rows == 100'000);
  std::this_thread::sleep_for(std::chrono::seconds(2));
  std::string pid;
  std::ifstream(f / "till-01/lock") >> pid;
  const double before = cpu_seconds(pid);
  std::this_thread::sleep_for(std::chrono::seconds(10));
  const double share = (cpu_seconds(pid) - before) / 10.0;
  const std::string rollup = "/proc/" + pid + "/smaps_rollup";
  const std::uint64_t private_kib = field_of(rollup, "Private_Dirty:") + field_of(rollup, "Private_Clean:");
  MESSAGE("idle: " << share * 100 << " % of a core; private memory " << private_kib << " KiB");
  CHECK(share < 0.01);
  if (!test::kSanitized) CHECK(private_kib < 32 * 1024);
}
