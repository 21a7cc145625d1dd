// All of it at once, while sales run: wires that are cut, one way too, slow and lossy; clocks that jump; processes that
// are killed or stand still. A long form with TILLSYNC_TORTURE (./dev torture).
#include <random>

#include "tests/network/lan_shop.hpp"
#include "tests/torture/scale.hpp"

using namespace tillsync;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::LanShop;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int kTills = 4;

class Chaos {
 public:
  Chaos(LanShop& shop, unsigned seed) : shop_(shop), dice_(seed) {}

  void blow() {
    const int till = below(kTills), other = below(kTills + 1);  // the last one is the cloud
    const int to = other == kTills ? shop_.cloud_host() : other;
    switch (below(8)) {
      case 0:
        return shop_.lan().both_ways({till}, {to}, {.cut = true});
      case 1:
        return shop_.lan().wire(till, to, {.cut = true});
      case 2:
        return shop_.lan().both_ways({till}, {to}, {false, milliseconds(below(200)), 0.01 * below(10)});
      case 3:
        return cut_off(till);
      case 4:
        ++clock_steps;
        return shop_.set_clock(till, below(200'000) - 100'000);
      case 5:
        return kill(till);
      case 6:
        return stand_still(till);
      default:
        return shop_.lan().mend();
    }
  }

  // Each till that can sells, for a while.
  void sell(milliseconds time) {
    for (const auto until = Clock::now() + time; Clock::now() < until;) {
      for (int i = 0; i < kTills; ++i) {
        if (!still_.contains(i)) shop_.sell(i);
      }
    }
  }

  void heal() {
    shop_.lan().mend();
    for (const int i : std::exchange(still_, {})) shop_.resume(i);
    for (int i = 0; i < kTills; ++i) shop_.set_clock(i, 0);
  }

  int clock_steps = 0, kills = 0, stops = 0;

 private:
  int below(int n) { return static_cast<int>(dice_() % static_cast<unsigned>(n)); }

  void cut_off(int till) {
    std::vector<int> rest{shop_.cloud_host()};
    for (int i = 0; i < kTills; ++i) {
      if (i != till) rest.push_back(i);
    }
    shop_.lan().both_ways({till}, rest, {.cut = true});
  }

  void kill(int till) {
    ++kills;
    if (still_.erase(till) > 0) shop_.resume(till);
    shop_.kill(till);
    shop_.start(till);
  }

  void stand_still(int till) {
    if (still_.erase(till) > 0) return shop_.resume(till);
    if (still_.size() == kTills - 1) return;
    ++stops;
    shop_.pause(till);
    still_.insert(till);
  }

  LanShop& shop_;
  std::mt19937 dice_;
  std::set<int> still_;
};

}  // namespace

TEST_CASE(
    "wires, clocks and processes fail at random while sales run: no sale is lost or doubled, all stock is right") {
  LanShop::Plan plan{kTills};
  plan.clocks = true;
  LanShop shop(plan);
  shop.settles();
  const auto rounds = static_cast<unsigned>(torture::scaled(30, 3));
  int blows = 0, clock_steps = 0, kills = 0, stops = 0;
  for (unsigned round = 1; round <= rounds; ++round) {
    CAPTURE(round);
    Chaos chaos(shop, round);
    for (int i = 0; i < 12; ++i, ++blows) {
      chaos.blow();
      chaos.sell(milliseconds(300));
      const auto two_hosts = [&] { return shop.exclusive_holders().size() > 1; };
      CHECK_FALSE((two_hosts() && two_hosts()));  // they are asked one after the other
    }
    chaos.heal();
    shop.settles();
    CHECK(shop.until(seconds(30), [&] {
      const auto right = [&](int till) { return shop.ask(till, api::StockRequest{})["bread"] == -1000 * shop.sold(); };
      int till = 0;
      while (till < kTills && right(till)) ++till;
      return till == kTills;
    }));
    clock_steps += chaos.clock_steps, kills += chaos.kills, stops += chaos.stops;
  }
  MESSAGE(blows << " blows, among them " << clock_steps << " clocks, " << kills << " kills and " << stops
                << " that stood still; " << shop.sold() << " sales, each in the cloud once, and in all stock");
}
