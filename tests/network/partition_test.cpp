// What a branch does when its network does not cooperate: splits, one-way cuts, slow and lossy wires, blocked
// multicast.
#include "tests/network/lan_shop.hpp"

using namespace tillsync;
using std::chrono::seconds;
using test::LanShop;
using test::Wire;

namespace {

const Wire kCut{true, {}, 0};

std::string kind(LanShop& shop, int i) { return shop.lease(i).kind; }

}  // namespace

TEST_CASE(
    "split 3|2: exclusive where the majority is, provisional where it is not, both sell, and after healing all is "
    "everywhere") {
  LanShop shop({5});
  shop.settles();
  shop.lan().both_ways({0, 1, 2}, {3, 4}, kCut);
  CHECK(shop.until(seconds(10), [&] {
    const auto holders = shop.exclusive_holders();
    return holders.size() == 1 && holders[0] < 3 && kind(shop, 3) == "provisional" && kind(shop, 4) == "provisional";
  }));
  for (int i = 0; i < 5; ++i) shop.sell(i, 10);
  CHECK(shop.exclusive_holders().size() == 1);
  shop.lan().mend();
  shop.settles();
}

TEST_CASE("split 2|2|1: nobody is exclusive, everybody sells, and one host is left after healing") {
  LanShop shop({5});
  shop.settles();
  shop.lan().both_ways({0, 1}, {2, 3, 4}, kCut);
  shop.lan().both_ways({2, 3}, {4}, kCut);
  CHECK(shop.until(seconds(10), [&] {
    for (int i = 0; i < 5; ++i) {
      if (kind(shop, i) != "provisional") return false;
    }
    return true;
  }));
  for (int i = 0; i < 5; ++i) shop.sell(i, 10);
  shop.lan().mend();
  shop.settles();
}

TEST_CASE("a host that is heard by nobody, or hears nobody, is followed by another") {
  LanShop shop({3});
  shop.settles();
  const int old = shop.the_host();
  std::vector<int> others;
  for (int i = 0; i < 3; ++i) {
    if (i != old) others.push_back(i);
  }
  SUBCASE("its words get lost") {
    for (int i : others) shop.lan().wire(old, i, kCut);
  }
  SUBCASE("it is deaf") {
    for (int i : others) shop.lan().wire(i, old, kCut);
  }
  CHECK(shop.until(seconds(20), [&] {
    const auto holders = shop.exclusive_holders();
    return holders.size() == 1 && holders[0] != old;
  }));
  for (int i = 0; i < 3; ++i) shop.sell(i, 5);
  shop.lan().mend();
  shop.settles();
}

TEST_CASE("two tills: with the cloud as witness the one that is left is exclusive, without it provisional") {
  LanShop::Plan plan{2};
  SUBCASE("with a witness") { plan.witness = true; }
  SUBCASE("without") {}
  LanShop shop(plan);
  shop.settles();
  const int gone = shop.the_host(), left = 1 - gone;
  shop.sell(left, 5);
  shop.kill(gone);
  const std::string wanted = plan.witness ? "exclusive" : "provisional";
  CHECK(shop.until(seconds(10),
                   [&] { return kind(shop, left) == wanted && shop.lease(left).host == shop.name(left); }));
  shop.sell(left, 5);
  shop.start(gone);
  shop.settles();
}

TEST_CASE("20 ms of delay and 3 % of loss on every wire: one host, and everything arrives") {
  LanShop shop({3});
  shop.lan().both_ways({0, 1, 2}, {0, 1, 2}, {false, std::chrono::milliseconds(20), 0.03});
  REQUIRE(shop.until(seconds(30), [&] { return shop.host().has_value(); }));
  for (int i = 0; i < 3; ++i) shop.sell(i, 20);
  shop.settles();
}

TEST_CASE("an access point that blocks multicast: with `peers` configured the branch needs no mDNS") {
  LanShop::Plan plan{3};
  plan.mdns = false;
  LanShop shop(plan);
  shop.settles();
  const int old = shop.the_host();
  shop.kill(old);
  CHECK(shop.until(seconds(5), [&] { return shop.exclusive_holders().size() == 1; }));
  shop.start(old);
  shop.sell(old, 5);
  shop.settles();
}
