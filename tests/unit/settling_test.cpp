// What the cloud makes of ops that do not agree, and of people's words on them.
#include "tests/unit/settling_cloud.hpp"

#include "conflicts/explain.hpp"
#include "storage/base/random.hpp"

using namespace tillsync;
using namespace tillsync::test;

namespace {

// One cola, sold at two tills.
void sell_the_last_twice(SettlingCloud& cloud) {
  cloud.take(1, 0, draft(OpKind::restock, "delivery", {line("cola", 1)}));
  cloud.take(1, 1000, draft(OpKind::sale, "a", {line("cola", 1)}));
  cloud.take(2, 2000, draft(OpKind::sale, "b", {line("cola", 1)}));
}

}  // namespace

TEST_CASE("the last one sold twice is settled: the stock is right, the history readable, and it can be undone") {
  SettlingCloud cloud;
  sell_the_last_twice(cloud);
  CHECK(cloud.stock("cola") == -1000);
  Conflict c = cloud.conflict("below_zero");
  CHECK(c.sides.size() == 2);
  CHECK(choices_for(c, cloud.stock_now()).front().preview == "stock of cola: -1 now, 0 afterwards");
  CHECK(cloud.say(1, 5000, c.id, "zero", "Jürgen") == OpEffect::applied);
  CHECK(cloud.stock("cola") == 0);
  c = cloud.conflict(c.id);
  CHECK(c.state == ConflictState::resolved);
  CHECK(c.settlement->by == "Jürgen");
  CHECK(c.history.back().reason == "because");
  cloud.confirm();
  CHECK(cloud.conflict(c.id).state == ConflictState::resolved);
  CHECK(cloud.say(2, 8000, c.id, "reopen", "bob") == OpEffect::applied);
  CHECK(cloud.stock("cola") == -1000);
  CHECK(cloud.conflict(c.id).state == ConflictState::open);
  cloud.take(1, 9000, draft(OpKind::restock, "delivery 2", {line("cola", 4)}));
  CHECK(choices_for(cloud.conflict(c.id), cloud.stock_now()).front().name == "leave");
}

TEST_CASE("two people settle one conflict: the same word is one, two words are a conflict, and either can win") {
  SettlingCloud cloud;
  sell_the_last_twice(cloud);
  const Conflict before = cloud.conflict("below_zero");
  const auto word = [&](const char* choice, const char* by) {
    return *resolution(before, [](const std::string&) { return std::optional<std::int64_t>(-1000); },
                       {choice, by, "because"});
  };
  CHECK(cloud.take(1, 5000, word("backorder", "ann")) == OpEffect::applied);
  CHECK(cloud.take(2, 5001, word("backorder", "bob")) == OpEffect::duplicate);
  CHECK_FALSE(cloud.has("two_resolutions"));
  CHECK(cloud.take(2, 5002, word("zero", "eve")) == OpEffect::conflict);
  CHECK(cloud.stock("cola") == -1000);
  const Conflict two = cloud.conflict("two_resolutions");
  CHECK(two.sides[0].what == "backorder: because");
  CHECK(two.sides[1].what == "zero: because");
  CHECK(cloud.say(1, 6000, two.id, "second", "boss") == OpEffect::applied);
  CHECK(cloud.stock("cola") == 0);
  CHECK(cloud.conflict(before.id).settlement->by == "eve");
  CHECK(cloud.say(1, 7000, two.id, "reopen", "boss") == OpEffect::applied);
  CHECK(cloud.stock("cola") == -1000);
}

TEST_CASE("an undo of what somebody else has undone and settled anew meanwhile takes nothing back") {
  SettlingCloud cloud;
  sell_the_last_twice(cloud);
  const std::string id = cloud.conflict("below_zero").id;
  cloud.say(1, 5000, id, "zero", "ann");
  const auto undo = resolution(cloud.conflict(id), cloud.stock_now(), {"reopen", "bob", "because"});
  cloud.say(1, 6000, id, "reopen", "ann");
  cloud.say(1, 7000, id, "backorder", "ann");
  CHECK(cloud.take(2, 6500, *undo) == OpEffect::conflict);
  CHECK(cloud.stock("cola") == -1000);
  CHECK(cloud.conflict(id).settlement->choice == "backorder");
  CHECK(cloud.has("two_resolutions"));
}

TEST_CASE("whatever is said, in whatever order: of each conflict one word is in effect, and no other moves the stock") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    SettlingCloud cloud;
    sell_the_last_twice(cloud);
    std::vector<Conflict> seen = cloud.conflicts();  // what somebody may have on the screen, also of long ago
    std::int64_t words = 0, total = -1000;
    for (int i = 0; i < 12; ++i) {
      const Conflict about = seen[random.below(seen.size())];
      const auto choices = choices_for(about, cloud.stock_now());
      if (choices.empty()) continue;
      const Choice& choice = choices[random.below(choices.size())];
      const auto said = resolution(about, cloud.stock_now(), {choice.name, "p" + std::to_string(i), "because"});
      REQUIRE(said);
      const auto effect = cloud.take(1 + static_cast<int>(random.below(2)), 5000 + i, *said);
      if (effect == OpEffect::applied) {
        ++words;
        for (const Line& l : said->document.lines) total += l.quantity.milli;
      }
      for (const Conflict& c : cloud.conflicts()) seen.push_back(c);
    }
    CHECK(words > 0);
    CHECK(cloud.stock("cola") == total);
    for (const Conflict& c : cloud.conflicts()) CHECK(c.settlement.has_value() == (c.state == ConflictState::resolved));
  }
}

TEST_CASE("edits of different fields are merged; of the same field both are kept for people, whose word counts") {
  SettlingCloud cloud;
  const RowFields bread = {{"name", packed(1)}, {"price", packed(350)}};
  cloud.headquarters("bread", bread);
  cloud.take(1, 0, cloud.edit("e1", "bread", {{"name", 2}}, bread, RowVersion{1}));
  cloud.take(2, 1, cloud.edit("e2", "bread", {{"price", 375}}, bread, RowVersion{1}));
  CHECK(cloud.product("bread") == RowFields{{"name", packed(2)}, {"price", packed(375)}});
  CHECK(cloud.conflicts().empty());
  cloud.take(1, 2, cloud.edit("e3", "bread", {{"price", 390}}, bread, RowVersion{1}));
  CHECK(cloud.product("bread").at("price") == packed(375));
  const Conflict c = cloud.conflict("edit_edit");
  CHECK(c.summary == "product bread price: 3.75 or 3.90?");
  CHECK(c.sides[0].place.till == TillId{"till-2"});
  CHECK(explain(c)[3] == "till-2 had seen 350 when it said price 3.75.");
  cloud.say(2, 3, c.id, "take-2", "boss");
  CHECK(cloud.product("bread").at("price") == packed(390));
  CHECK(cloud.take(2, 4, cloud.edit("e4", "bread", {}, {}, RowVersion{1})) == OpEffect::applied);
  const Conflict gone = cloud.conflict("edit_delete");
  CHECK(cloud.product("bread").at("price") == packed(390));
  cloud.say(1, 5, gone.id, "take-2", "boss");
  CHECK(cloud.product("bread").empty());
}

TEST_CASE("a refund of a sale that has not come is suspected and closes by itself; of more than was sold it stays") {
  SettlingCloud cloud;
  cloud.take(2, 2000, draft(OpKind::refund, "r1", {line("cola", 2)}, "late"));
  CHECK(cloud.state("unknown_sale") == ConflictState::suspected);
  CHECK(cloud.conflict("unknown_sale").money == 700);
  cloud.take(1, 1000, draft(OpKind::sale, "late", {line("cola", 3)}));
  CHECK(cloud.state("unknown_sale") == ConflictState::closed);
  CHECK_FALSE(cloud.has("refund_above_sale"));
  cloud.take(2, 3000, draft(OpKind::refund, "r2", {line("cola", 2)}, "late"));
  const Conflict c = cloud.conflict("refund_above_sale");
  CHECK(c.summary == "4 of cola were taken back of the sale 'late', which had 3");
  CHECK(c.money == 350);
  CHECK(cloud.stock("cola") == 1000);
  cloud.say(1, 4000, c.id, "reverse", "boss");
  CHECK(cloud.stock("cola") == 0);
}

TEST_CASE("a price that had been replaced is noted with both prices, once a till and price, and asks nobody") {
  SettlingCloud cloud;
  cloud.headquarters("tea", {{"price", packed(200)}});
  cloud.headquarters("tea", {{"price", packed(250)}});
  cloud.take(1, 5000, draft(OpKind::sale, "before", {line("tea", 1, 200)}));  // not yet replaced then
  CHECK_FALSE(cloud.has("stale_price"));
  cloud.take(1, 20'000, draft(OpKind::sale, "s1", {line("tea", 2, 200)}));
  cloud.take(1, 21'000, draft(OpKind::sale, "s2", {line("tea", 1, 200)}));
  cloud.take(1, 22'000, draft(OpKind::sale, "discount", {line("tea", 1, 190)}));
  const Conflict c = cloud.conflict("stale_price");
  CHECK(c.state == ConflictState::closed);
  CHECK(c.summary == "tea was sold at 2.00, a price that had been replaced by 2.50");
  CHECK(c.sides.size() == 2);
  CHECK(c.money == 150);
  CHECK(cloud.conflicts().size() == 1);
}

TEST_CASE("a count while another till sells: nobody knows whether it was counted, and the policies say who is asked") {
  SettlingCloud cloud;
  cloud.policies = *Policies::parse("[anomaly]\ncount_with_sales = 'ask'\n", "p.toml");
  cloud.take(2, 8500, draft(OpKind::sale, "a", {line("nuts", 2)}));
  cloud.take(1, 9000, draft(OpKind::sale, "own", {line("nuts", 1)}));
  cloud.take(1, 10'000, draft(OpKind::count, "c", {line("nuts", 50)}));
  cloud.take(2, 11'000, draft(OpKind::sale, "b", {line("nuts", 3)}));
  cloud.take(2, 13'000, draft(OpKind::sale, "later", {line("nuts", 1)}));
  Conflict c = cloud.conflict("count_with_sales");
  REQUIRE(c.sides.size() == 2);
  CHECK(cloud.stock("nuts") == 46'000);
  cloud.confirm();
  CHECK(cloud.state("count_with_sales") == ConflictState::open);
  cloud.say(1, 20'000, c.id, "include", "boss");  // a came after the count, and b was counted
  CHECK(cloud.stock("nuts") == 46'000 - 2000 + 3000);
}

TEST_CASE("an op that breaks a rule counts nowhere and holds up nothing; it is replaced, replayed or discarded") {
  SettlingCloud cloud;
  CHECK(cloud.take(1, 0, draft(OpKind::restock, "typo", {line("cola", 200'000)})) == OpEffect::dead);
  CHECK(cloud.take(1, 1, draft(OpKind::sale, "next", {line("cola", 1)})) == OpEffect::applied);
  CHECK(cloud.stock("cola") == -1000);
  const Conflict typo = cloud.conflict("dead_letter");
  cloud.say(2, 2, typo.id, "edit", "boss", {{"cola", 200'000, 0}});
  CHECK(cloud.stock("cola") == 199'000);

  CHECK(cloud.take(2, 3, draft(OpKind::restock, "big", {line("tea", 150'000)})) == OpEffect::dead);
  const std::string big = cloud.conflicts().back().id;
  cloud.say(1, 4, big, "replay", "boss");
  CHECK(cloud.conflict(big).state == ConflictState::open);  // the rule is as it was
  cloud.policies = *Policies::parse("[limit]\nunits_per_line = 500000\n", "p.toml");
  cloud.say(1, 5, big, "replay", "boss");
  CHECK(cloud.conflict(big).state == ConflictState::resolved);
  CHECK(cloud.stock("tea") == 150'000'000);
  CHECK(cloud.take(1, 6, draft(OpKind::restock, "big", {line("tea", 150'000)})) == OpEffect::duplicate);

  Op broken;
  broken.branch = cloud.shop.branch;
  broken.chain = {TillId{"till-2"}, Incarnation{9}};
  broken.seq = Seq{1}, broken.hlc = Hlc::at(kNoon), broken.kind = OpKind::sale;
  broken.key = "broken", broken.body = "no document";
  CHECK(cloud.push(broken) == OpEffect::dead);
  cloud.say(1, 7, cloud.conflicts().back().id, "discard", "boss");
  OpDraft nonsense = draft(OpKind::resolution, "n", {}, "below_zero/x");
  CHECK(cloud.take(1, 8, nonsense) == OpEffect::dead);  // without a reason
}

TEST_CASE("policies close what nobody wants to be asked about, when it is confirmed and not before") {
  SettlingCloud cloud;
  cloud.policies = *Policies::parse("[anomaly]\nbelow_zero = 'backorder'\n", "p.toml");
  sell_the_last_twice(cloud);
  CHECK(cloud.state("below_zero") == ConflictState::suspected);
  cloud.confirm();
  const Conflict c = cloud.conflict("below_zero");
  CHECK(c.state == ConflictState::closed);
  CHECK(c.history.back().reason == "anomaly.below_zero = \"backorder\" (p.toml, line 2)");
  cloud.take(1, 3'700'000, draft(OpKind::sale, "more", {line("cola", 1)}));
  CHECK(cloud.state("below_zero") == ConflictState::closed);
}

TEST_CASE("a cloud that was restored hears what was settled before it finds the conflict again") {
  SettlingCloud before, after;
  sell_the_last_twice(before);
  const auto word = resolution(before.conflict("below_zero"), before.stock_now(), {"zero", "ann", "empty"});
  CHECK(after.take(1, 0, draft(OpKind::restock, "delivery", {line("cola", 1)})) == OpEffect::applied);
  CHECK(after.take(1, 1000, draft(OpKind::sale, "a", {line("cola", 1)})) == OpEffect::applied);
  CHECK(after.take(1, 5000, *word) == OpEffect::applied);
  after.take(2, 2000, draft(OpKind::sale, "b", {line("cola", 1)}));
  const Conflict c = after.conflict("below_zero");
  CHECK(c.state == ConflictState::resolved);
  CHECK(c.sides.size() == 2);
  CHECK(c.history.back().who == "ann");
  CHECK(after.stock("cola") == 0);
}

TEST_CASE("a clock that is ahead is suspected until its till says how wrong it was") {
  SettlingCloud cloud;
  cloud.policies = *Policies::parse("[anomaly]\nclock_suspect = 'ask'\n", "p.toml");
  cloud.take(1, 400'000, draft(OpKind::sale, "a", {line("cola", 1)}));
  cloud.take(1, 401'000, draft(OpKind::sale, "b", {line("cola", 1)}));
  CHECK(cloud.conflicts().size() == 1);
  CHECK(cloud.state("clock_suspect") == ConflictState::suspected);
  OpDraft correction;
  correction.kind = OpKind::clock_correction, correction.key = "clock";
  correction.custom_body = pack(Correction{Incarnation{1}, Seq{1}, Seq{2}, -390'000});
  cloud.take(1, 12'000, correction);
  CHECK(cloud.state("clock_suspect") == ConflictState::closed);
  CHECK(cloud.conflicts().size() == 1);
}
