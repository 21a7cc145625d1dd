// The terminal without a terminal: keys in, lines out.
#include <doctest/doctest.h>

#include "conflicts/kinds.hpp"
#include "conflicts/tui/model.hpp"
#include "conflicts/tui/text.hpp"

using namespace tillsync;
using namespace tillsync::tui;

namespace {

using K = tui::Key::Kind;

Item dip(int n) {
  ConflictSide side;
  side.place = {Hlc::at(1000 * n), TillId{"till-1"}, Incarnation{1}, Seq{static_cast<std::uint64_t>(n)}};
  side.what = "sold 1", side.cashier = "Ann\x1b[2J", side.milli = 1000, side.money = 350;
  Conflict c = below_zero("ware-" + std::to_string(n), side.place, -1000, {side, side, side}, 1000 * n);
  c.branch = "main";
  return {c, choices_for(c, [](const std::string&) { return std::optional<std::int64_t>(-1000); })};
}

std::string screen(const Model& model, Size size = {}) {
  std::string out;
  const auto lines = model.draw(size);
  CHECK(lines.size() == size.height);
  for (const tui::Line& line : lines) {
    CHECK(columns(line.text) == size.width);
    out += line.text + '\n';
  }
  return out;
}

bool shows(const Model& model, const std::string& part) { return screen(model).find(part) != std::string::npos; }

}  // namespace

TEST_CASE("on the screen: what waits, one of them, a name and a reason; then the next with three keys") {
  Model model("till-1 of main", "");
  CHECK(shows(model, "Asking ..."));
  std::vector<Item> items;
  for (int i = 1; i <= 40; ++i) items.push_back(dip(i));
  model.on_fetched(items, 100'000);
  CHECK(shows(model, "40 wait, 0 settled"));
  CHECK(shows(model, "more below"));
  const auto press = [&](K kind, const std::string& text = {}) { return model.on_key({kind, text}, {}); };
  CHECK_FALSE(press(K::enter));
  CHECK(shows(model, "Ann?[2J"));  // nothing that a name says reaches the terminal
  CHECK_FALSE(press(K::text, "2"));
  CHECK(shows(model, "Your name: _"));
  for (const char* c : {"J", "ö", "x"}) press(K::text, c);
  press(K::backspace);
  CHECK_FALSE(press(K::enter));  // goes on to the reason
  auto order = press(K::enter);
  REQUIRE(order);
  model.on_settled(resolution(
                       order->conflict, [](const std::string&) { return std::nullopt; }, order->word)
                       .map([](const OpDraft&) {}));
  CHECK(shows(model, "why? Give a reason"));
  press(K::text, "w");
  order = press(K::enter);
  REQUIRE(order);
  CHECK(order->conflict.subject == "ware-1");
  CHECK(order->word.choice == "backorder");
  CHECK(order->word.by == "Jö");
  CHECK(order->word.reason == "w");
  model.on_settled({});
  items.erase(items.begin());
  for (int i = 2; i < 10; ++i) {
    press(K::enter);
    press(K::text, "2");
    order = press(K::enter);
    REQUIRE(order);
    CHECK(order->conflict.subject == "ware-" + std::to_string(i));
    CHECK(order->word.reason == "w");
    model.on_settled({});
    items.erase(items.begin());
    model.on_fetched(items, 100'000);
  }
  press(K::end);
  CHECK(shows(model, "ware-40"));
  model.on_fetched(fail(ErrorKind::io, "till-1 does not run at the moment"), 101'000);
  CHECK(shows(model, "does not run"));
  CHECK(shows(model, "ware-40"));
  press(K::text, "/");
  for (const char* c : {"3", "7"}) press(K::text, c);
  press(K::enter);
  CHECK(shows(model, "ware-37"));
  CHECK_FALSE(shows(model, "ware-38"));
  press(K::text, "q");
  CHECK(model.done());
}

TEST_CASE("every screen fits, whatever the size and whatever was pressed") {
  for (const Size size : {Size{60, 12}, Size{80, 24}, Size{133, 50}, Size{20, 5}, Size{1, 1}}) {
    Model model("till-1 of main", "ann");
    std::vector<Item> items;
    for (int i = 1; i <= 5; ++i) items.push_back(dip(i));
    model.on_fetched(items, 100'000);
    std::uint64_t dice = size.width;
    for (int i = 0; i < 400; ++i) {
      dice = dice * 6364136223846793005ULL + 1442695040888963407ULL;
      const std::uint64_t n = dice >> 33;
      constexpr const char* kTexts[] = {"1", "2", "3", "w", "h", "k", "/", "ü", "北"};
      const auto kind = static_cast<K>(n % 12);
      if (const auto order = model.on_key({kind, kind == K::text ? kTexts[n / 12 % 9] : ""}, size))
        model.on_settled({});
      if (i % 10 == 0) model.on_fetched(items, 100'000 + i);
      (void)screen(model, size);
    }
  }
}

TEST_CASE("text is cut and wrapped by columns, and what is no UTF-8 does no harm") {
  CHECK(cut("Jürgen Großmann", 9) == "Jürgen ..");
  CHECK(fit("é", 3) == "é  ");
  CHECK(plain("a\tb\xff\x1b c") == "a?b?? c");
  CHECK(wrap("one two three", 7) == std::vector<std::string>{"one two", "three"});
  std::string text = "aü";
  erase_last(text);
  CHECK(text == "a");
}
