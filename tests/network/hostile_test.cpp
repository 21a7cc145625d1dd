// A member of the roster that means harm costs the others nothing but what it sends.
#include <algorithm>
#include <fstream>

#include "tests/network/hostile.hpp"

using namespace tillsync;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Hostile;
using test::LanShop;
using Clock = std::chrono::steady_clock;

namespace {

std::int64_t resident_mib(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) return std::stoll(line.substr(8)) / 1024;
  }
  return 0;
}

// Sells at each of the others while the hostile one does what it does; the longest that a cashier waited, in ms.
std::int64_t sell_meanwhile(LanShop& shop, const std::vector<int>& others, int host) {
  std::int64_t longest = 0;
  const auto until = Clock::now() + seconds(6);
  while (Clock::now() < until) {
    for (const int i : others) {
      const auto start = Clock::now();
      shop.sell(i);
      longest = std::max(longest, std::chrono::duration_cast<milliseconds>(Clock::now() - start).count());
    }
    CHECK(shop.exclusive_holders() == std::vector<int>{host});
    std::this_thread::sleep_for(milliseconds(20));
  }
  return longest;
}

}  // namespace

TEST_CASE("a hostile member lies, crowds or does not read: nobody else loses a sale, waits, or believes it") {
  Hostile::Way way{};
  std::string name;
  SUBCASE("it lies") { way = Hostile::Way::lies, name = "lies"; }
  SUBCASE("it crowds") { way = Hostile::Way::crowds, name = "crowds"; }
  SUBCASE("it never reads") { way = Hostile::Way::is_deaf, name = "is deaf"; }
  LanShop::Plan plan{4};
  plan.lease_ms = 3000;  // as in a shop
  LanShop shop(plan);
  for (int i = 0; i < 4; ++i) shop.sell(i, 3);
  shop.settles();
  const int host = shop.the_host(), hostile = (host + 1) % 4;
  const std::vector<int> others{host, (host + 2) % 4, (host + 3) % 4};
  shop.kill(hostile);
  {
    const Hostile at_work(shop, hostile, way);
    const std::int64_t longest = sell_meanwhile(shop, others, host);
    std::int64_t most = 0;
    for (const int i : others) most = std::max(most, resident_mib(shop.till(i).pid()));
    MESSAGE(name << ": sent " << at_work.sent() << "; " << shop.sold() << " sales meanwhile, the slowest took "
                 << longest << " ms; " << most << " MiB at most");
    CHECK(at_work.sent() > 1000);
    CHECK(longest < 1000);
    CHECK(most < 64);
  }
  shop.start(hostile);
  shop.settles();
  CHECK(shop.until(seconds(20), [&] {
    return std::ranges::all_of(others,
                               [&](int i) { return shop.ask(i, api::StockRequest{})["bread"] == -1000 * shop.sold(); });
  }));
  for (const int i : others) {
    const auto status = shop.ask(i, api::StatusRequest{});
    CHECK(status.forks <= 3);  // what its bare word is good for, before it is not heeded any more
    CHECK(status.is_host == (i == host));
  }
}
