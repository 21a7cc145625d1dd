// Conflicts as people meet them: on real processes, by command and on the screen.
#include <algorithm>
#include <thread>

#include "tests/integration/paired_shop.hpp"

using namespace tillsync;
using namespace tillsync::test;

namespace {

const std::vector<std::string> kEverywhere = {"cloud", "till-1", "till-2"};

Json one_of_kind(const Json& all, const std::string& kind) {
  for (const Json& c : all) {
    if (c["kind"] == kind) return c;
  }
  return {{"id", ""}, {"state", "not there"}};
}

// At every tier, within ten seconds.
bool everywhere(PairedShop& shop, const std::string& kind, const std::string& state) {
  return std::ranges::all_of(kEverywhere, [&](const std::string& where) {
    return within(std::chrono::seconds(10), [&] { return one_of_kind(shop.conflicts(where), kind)["state"] == state; });
  });
}

bool stock_everywhere(PairedShop& shop, const std::string& sku, std::int64_t milli) {
  return std::ranges::all_of(kEverywhere, [&](const std::string& where) {
    return within(std::chrono::seconds(10), [&] { return shop.ask(where, api::StockRequest{})[sku] == milli; });
  });
}

// A terminal of its own, in which a person would sit.
class Terminal {
 public:
  Terminal(const PairedShop& shop, const std::string& where, const std::string& size)
      : server_("-L tillsync-test-" + std::to_string(::getpid()) + "-" + std::to_string(++count_)) {
    const auto by = size.find('x');
    const Outcome made =
        tmux("-f /dev/null new-session -d -s t -x " + size.substr(0, by) + " -y " + size.substr(by + 1) +
             " \"env TERM=screen NO_COLOR=1 USER=anna LANG=C " + program() + " conflicts --data " + (shop.f / where) +
             "; echo ended with \\$?, hidden \\$(stty -a | grep -cw -- -echo); sleep 60\"");
    REQUIRE_MESSAGE(made.code == 0, made.err);
  }
  ~Terminal() { tmux("kill-server"); }
  Terminal(const Terminal&) = delete;

  std::string screen() { return tmux("capture-pane -p -t t").out; }
  bool shows(const std::string& part) {
    return within(std::chrono::seconds(10), [&] { return screen().find(part) != std::string::npos; });
  }
  void keys(const std::string& keys) { REQUIRE(tmux("send-keys -t t " + keys).code == 0); }
  void resize(int width, int height) {
    tmux("resize-window -t t -x " + std::to_string(width) + " -y " + std::to_string(height));
  }

 private:
  Outcome tmux(const std::string& command) { return shell("tmux " + server_ + " " + command); }
  static inline int count_ = 0;
  std::string server_;
};

}  // namespace

TEST_CASE(
    "the last one is sold twice, an edit meets another, and support settles it: every tier has it, with reasons") {
  PairedShop shop;
  shop.record("till-1", "restock", "delivery", "cola");
  shop.record("till-1", "sale", "a", "cola");
  shop.record("till-2", "sale", "b", "cola", 1000, "Jürgen");
  CHECK(everywhere(shop, "below_zero", "suspected"));
  const Json sold = one_of_kind(shop.conflicts("till-1"), "below_zero");
  const std::string id = sold["id"];
  CHECK(sold["sides"].size() == 2);
  const std::string shown = shop.tell({"conflicts", "show", id}, "till-2").out;
  CHECK(
      shown.find("--choice zero      the shelf is empty: the stock becomes 0 (stock of cola: -1 now, 0 afterwards)") !=
      std::string::npos);

  const std::vector<std::string> settle = {"conflicts", "resolve", id, "--by", "anna"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), settle.begin(), settle.end());
    return more;
  };
  check_refusal(shop.tell({"conflicts", "resolve", "nothing"}, "till-1"), "there is no conflict 'nothing'");
  check_refusal(shop.tell(with({}), "till-1"), "why? Give a reason");
  check_refusal(shop.tell(with({"--reason", "x", "--choice", "burn"}), "till-1"),
                "'burn' is no choice here: take one of");
  check_refusal(shop.from_afar(with({"--reason", "x"}), "manager.key"), "this key may ask, and not settle");
  CHECK(one_of_kind(shop.conflicts("cloud"), "below_zero")["state"] == "suspected");
  REQUIRE(shop.tell(with({"--reason", "the shelf is empty"}), "till-1").code == 0);
  CHECK(everywhere(shop, "below_zero", "resolved"));
  CHECK(stock_everywhere(shop, "cola", 0));
  for (const std::string& where : kEverywhere)
    CHECK(shop.tell({"conflicts", "show", id}, where).out.find("anna: zero (the shelf is empty)") != std::string::npos);
  check_refusal(shop.tell(with({"--reason", "me too"}), "till-2"),
                "anna has settled it already (zero: the shelf is empty)");
  CHECK(shop.tell({"conflicts", "explain", id}, "till-2").out.find("Settled by anna") != std::string::npos);

  // Name at one till and price at the other: merged. The price at both: a question, and neither is lost.
  api::PutRowsRequest bread;
  bread.rows.push_back({"bread", false, {{"name", "Bread"}, {"price", 350}}});
  shop.ask("cloud", bread);
  const auto product = [&](const std::string& till) {
    return shop.ask(till, api::RowRequest{"product", "bread"}).fields;
  };
  const auto has_bread = [&](const std::string& till) {
    return within(std::chrono::seconds(10), [&] {
      try {
        return product(till)["price"] == 350;
      } catch (const client::Failure&) {
        return false;
      }
    });
  };
  REQUIRE((has_bread("till-1") && has_bread("till-2")));
  const auto edit = [&](const std::string& till, const std::string& key, const std::map<std::string, Json>& changes) {
    shop.ask(till, api::EditRequest{"product", "bread", key, "ann", changes});
  };
  const auto both_have = [&](const Json& fields) {
    return within(std::chrono::seconds(10), [&] { return product("till-1") == fields && product("till-2") == fields; });
  };
  edit("till-1", "e1", {{"name", "Roll"}});
  edit("till-2", "e2", {{"price", 375}});
  CHECK(product("till-2")["price"] == 375);  // at once
  CHECK(both_have({{"name", "Roll"}, {"price", 375}}));
  CHECK(one_of_kind(shop.conflicts("cloud"), "edit_edit")["id"] == "");
  shop.stop_cloud();
  edit("till-1", "e3", {{"price", 380}});
  edit("till-2", "e4", {{"price", 390}});
  CHECK(product("till-1")["price"] == 380);
  CHECK(product("till-2")["price"] == 390);
  shop.start_cloud();
  CHECK(everywhere(shop, "edit_edit", "open"));
  const Json prices = one_of_kind(shop.conflicts("till-1"), "edit_edit");
  CHECK(prices["sides"].size() == 2);
  const Outcome taken = shop.from_afar(
      {"conflicts", "resolve", prices["id"], "--choice", "take-2", "--by", "Anna", "--reason", "the label says so"},
      "support.key");
  CAPTURE(taken.err);
  REQUIRE(taken.code == 0);
  CHECK(everywhere(shop, "edit_edit", "resolved"));
  const std::string what = prices["sides"][1]["what"];
  CHECK(both_have({{"name", "Roll"}, {"price", what == "price 3.90" ? 390 : 380}}));
}

TEST_CASE(
    "policies that are wrong stop nothing silently; a refused op waits in the dead-letter list, what follows goes on") {
  PairedShop shop;
  shop.stop_cloud();
  write(shop.f / "cloud/policies.toml", "[limit]\nunits_per_line = \"many\"\n");
  check_refusal(run({"cloud", "--data", shop.f / "cloud"}),
                "policies.toml, line 2: limit.units_per_line is a whole number");
  write(shop.f / "cloud/policies.toml", "[limit]\nunits_per_line = 500\n");
  shop.start_cloud();
  shop.record("till-1", "sale", "typo", "nuts", 600'000);
  shop.record("till-1", "sale", "next", "nuts", 2000);
  CHECK(everywhere(shop, "dead_letter", "open"));
  CHECK(stock_everywhere(shop, "nuts", -2000));
  const std::string list = shop.tell({"dead-letter", "list"}, "till-2").out;
  CHECK(list.find("600 of nuts in one line: limit.units_per_line = 500") != std::string::npos);
  const std::string id = one_of_kind(shop.conflicts("cloud"), "dead_letter")["id"];
  check_refusal(shop.tell({"dead-letter", "edit", id, "--by", "anna", "--reason", "typo"}, "till-1"),
                "what did happen?");
  check_refusal(shop.tell({"dead-letter", "discard", id, "--by", "anna"}, "till-1"), "why? Give a reason");
  REQUIRE(shop.tell({"dead-letter", "edit", id, "--stock", "nuts=-0.6", "--by", "anna", "--reason", "typo"}, "cloud")
              .code == 0);
  CHECK(everywhere(shop, "dead_letter", "resolved"));
  CHECK(stock_everywhere(shop, "nuts", -2600));
  CHECK(shop.tell({"dead-letter", "list"}, "till-2").out.find("No op was refused") == 0);

  // A group's price stands over the tenant's, until it is gone.
  write(shop.f / "products.ndjson", "{\"id\":\"bread\",\"price\":350}\n");
  write(shop.f / "groups.ndjson",
        "{\"id\":\"airport\",\"branches\":[\"main\"]}\n{\"id\":\"south\",\"branches\":[\"x\"]}\n");
  write(shop.f / "airport.ndjson", "{\"id\":\"bread\",\"price\":490}\n");
  write(shop.f / "gone.ndjson", "{\"id\":\"bread\",\"deleted\":true}\n");
  const auto import = [&](const std::string& file, std::vector<std::string> more) {
    more.insert(more.begin(), {"import", shop.f / file, "--data", shop.f / "cloud", "--kind"});
    REQUIRE(run(more).code == 0);
  };
  const auto costs = [&](int price) {
    return within(std::chrono::seconds(10), [&] {
      try {
        return shop.ask("till-2", api::RowRequest{"product", "bread"}).fields["price"] == price;
      } catch (const client::Failure&) {
        return false;
      }
    });
  };
  import("products.ndjson", {"product"});
  CHECK(costs(350));
  import("airport.ndjson", {"product", "--group", "airport"});
  import("gone.ndjson", {"product", "--group", "south"});
  import("groups.ndjson", {"group"});
  CHECK(costs(490));
  shop.ask("till-1", api::EditRequest{"product", "bread", "e", "ann", {{"price", 500}}});
  CHECK(costs(500));
  import("gone.ndjson", {"product", "--group", "airport"});
  CHECK(costs(350));

  // What the shop has, and what it wants done about it.
  const auto available = [&](const char* sku, std::int64_t milli) {
    return shop.ask("till-1", api::AvailableRequest{sku, milli});
  };
  shop.record("till-2", "count", "counted", "cake", 3000);
  CHECK(within(std::chrono::seconds(10), [&] { return available("cake", 3000).answer == Availability::Answer::yes; }));
  CHECK(available("cake", 4000).answer == Availability::Answer::no);
  CHECK(available("cake", 4000).rule == SellRule::warn);
  CHECK(available("cake", 4000).believed_milli == 3000);
  CHECK(available("cake", 4000).age_ms < 10'000);
  CHECK(available("nuts", 1000).answer == Availability::Answer::unknown);  // only ever sold
  CHECK(available("nuts", 1000).rule == SellRule::allow);
}

TEST_CASE("twenty conflicts are settled on the screen with three keys each, at two sizes, and it leaves no trace") {
  PairedShop shop;
  for (int i = 10; i < 30; ++i) {
    const std::string sku = "ware-" + std::to_string(i);
    shop.record("till-1", "restock", "delivery-" + sku, sku, 1000, "Zoë");
    shop.record("till-1", "sale", "a-" + sku, sku, 1000, "Łukasz 北京");
    shop.record("till-2", "sale", "b-" + sku, sku);
  }
  CHECK(within(std::chrono::seconds(20), [&] { return shop.conflicts("till-1").size() == 20; }));
  {
    Terminal t(shop, "till-1", "80x24");
    CHECK(t.shows("20 wait, 0 settled"));
    CHECK(t.shows("Enter look   / search   k kind   h history"));
    t.keys("/ 1 7 Enter");
    CHECK(t.shows("with '17'"));
    CHECK(t.screen().find("ware-18") == std::string::npos);
    t.keys("Escape");
    CHECK(t.shows("ware-18"));
    t.keys("Home Enter");
    CHECK(t.shows("by Łukasz 北京"));
    CHECK(t.shows("stock of ware-10: -1 now, 0 afterwards"));
    t.keys("w");
    CHECK(t.shows("why: ware-10"));
    t.keys("x");
    t.keys("Enter");
    CHECK(t.shows("Your name: anna"));
    t.keys("Enter");
    CHECK(t.shows("why? Give a reason"));
    t.keys("-l 'Regal leer'");
    t.keys("Enter");
    CHECK(t.shows("Settled: ware-10"));
    CHECK(t.shows("19 wait, 1 settled"));
    for (int i = 11; i < 20; ++i) {
      t.keys("Enter Enter Enter");
      CHECK(t.shows("Settled: ware-" + std::to_string(i)));
    }
    CHECK(t.shows("10 wait, 10 settled"));

    // Somebody else settles the one that is looked at.
    t.keys("Enter");
    CHECK(t.shows("What shall be done?"));
    CHECK(t.shows("ware-20"));
    const Json all = shop.conflicts("till-1");
    const auto it = std::ranges::find_if(all, [](const Json& c) { return c["subject"] == "ware-20"; });
    REQUIRE(shop.tell({"conflicts", "resolve", (*it)["id"], "--by", "bob", "--reason", "seen"}, "till-2").code == 0);
    CHECK(t.shows("bob has just settled it: zero."));
    t.keys("Escape h Enter");
    CHECK(t.shows("bob: zero"));
    t.resize(50, 10);
    CHECK(t.shows("make this window larger"));
    t.resize(100, 30);
    CHECK(t.shows("What happened to it"));
    t.keys("Escape q");
    CHECK(t.shows("ended with 0, hidden 0"));
  }
  {
    Terminal t(shop, "cloud", "120x40");
    CHECK(t.shows("9 wait, 11 settled"));
    t.keys("Enter Enter -l 'Regal leer'");
    t.keys("Enter");
    CHECK(t.shows("Settled: ware-21"));
    for (int i = 22; i < 30; ++i) {
      t.keys("Enter Enter Enter");
      CHECK(t.shows("Settled: ware-" + std::to_string(i)));
    }
    CHECK(t.shows("Nothing waits for anybody."));
    t.keys("q");
    CHECK(t.shows("ended with 0"));
  }
  for (int i = 10; i < 30; ++i) CHECK(stock_everywhere(shop, "ware-" + std::to_string(i), 0));
  const Outcome no_terminal = shop.tell({"conflicts"}, "till-1");
  check_refusal(no_terminal, "this needs a terminal");
}
