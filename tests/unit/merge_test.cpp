// Edits that meet, and what a shop has decided beforehand about them.
#include <doctest/doctest.h>

#include "conflicts/merge.hpp"
#include "storage/base/pack.hpp"
#include "storage/base/random.hpp"

using namespace tillsync;

namespace {

Bytes number(std::int64_t n) {
  Bytes out;
  Packer(out).sint(n);
  return out;
}

Bytes text(const std::string& s) {
  Bytes out;
  Packer(out).text(s);
  return out;
}

// An edit by somebody who looks at `row`.
RowEdit edit(const CurrentRow& row, const std::map<std::string, Bytes>& changes) {
  RowEdit out{"product", "bread", row.version, false, {}};
  for (const auto& [field, becomes] : changes) {
    const auto was = row.fields.find(field);
    out.changes[field] = {Binary(was == row.fields.end() ? Bytes() : was->second), Binary(becomes)};
  }
  return out;
}

CurrentRow apply(CurrentRow row, const Merged& merged) {
  if (!merged.changed) return row;
  return {row.version.next(), merged.deleted, merged.fields};
}

const CurrentRow kBread{RowVersion{4}, false, {{"name", text("Bread")}, {"price", number(350)}, {"points", number(3)}}};

Policies policies(const std::string& file) { return Policies::parse(file, "policies.toml").value(); }

}  // namespace

TEST_CASE("the name changed at one till and the price at another: both are taken. The price at both: one conflict") {
  const Policies rules;
  const RowEdit name = edit(kBread, {{"name", text("Rye bread")}}), price = edit(kBread, {{"price", number(380)}}),
                other = edit(kBread, {{"price", number(390)}});
  CurrentRow row = apply(kBread, merge(name, kBread, rules));
  const Merged second = merge(price, row, rules);
  CHECK(second.conflicts.empty());
  row = apply(row, second);
  CHECK(row.fields == RowFields{{"name", text("Rye bread")}, {"price", number(380)}, {"points", number(3)}});

  const Merged third = merge(other, row, rules);
  CHECK_FALSE(third.changed);
  REQUIRE(third.conflicts.size() == 1);
  CHECK(third.conflicts[0].field == "price");
  CHECK(third.conflicts[0].theirs == number(380));
  CHECK(third.conflicts[0].mine == number(390));
  CHECK(merge(price, row, rules).conflicts.empty());  // it comes again: nothing new
}

TEST_CASE("two edits of one row, whatever they change, end alike in either order, and neither is lost unseen") {
  const Policies rules = policies("[row.product]\npoints = 'sum'\nbest = 'max'\n");
  Random random(5);
  const std::vector<std::string> names = {"name", "price", "points", "best", "tax"};
  for (int round = 0; round < 2000; ++round) {
    CurrentRow base{RowVersion{1}, false, {}};
    for (const std::string& name : names) base.fields[name] = number(static_cast<std::int64_t>(random.below(5)));
    const auto some = [&] {
      std::map<std::string, Bytes> changes;
      for (const std::string& name : names) {
        if (random.below(2) == 0) changes[name] = number(static_cast<std::int64_t>(random.below(5)));
      }
      return edit(base, changes);
    };
    const RowEdit a = some(), b = some();
    const auto run = [&](const RowEdit& first, const RowEdit& second) {
      const CurrentRow middle = apply(base, merge(first, base, rules));
      const Merged last = merge(second, middle, rules);
      return std::pair(apply(middle, last).fields, last.conflicts);
    };
    const auto [ab, conflicts_ab] = run(a, b);
    const auto [ba, conflicts_ba] = run(b, a);
    CHECK(conflicts_ab.size() == conflicts_ba.size());
    for (const std::string& name : names) {
      const auto in_conflict = [&](const std::vector<FieldConflict>& all) {
        return std::ranges::count(all, name, &FieldConflict::field) == 1;
      };
      CHECK(in_conflict(conflicts_ab) == in_conflict(conflicts_ba));
      if (!in_conflict(conflicts_ab)) CHECK(ab.at(name) == ba.at(name));
    }
  }
}

TEST_CASE("each rule for a field: newest-if-current, sum, max, ask") {
  const Policies rules = policies(
      "[row.product]\nprice = 'newest-if-current'\npoints = 'sum'\nstock_limit = 'max'\nname = 'ask'\n"
      "[row.default]\ndefault = 'ask'\n");
  const CurrentRow later = apply(kBread, {kBread.fields, false, true, {}});  // somebody changed something else
  const RowEdit price = edit(kBread, {{"price", number(380)}});
  CHECK(merge(price, kBread, rules).changed);
  REQUIRE(merge(price, later, rules).conflicts.size() == 1);
  CHECK(merge(price, later, rules).conflicts[0].why ==
        "row.product.price = \"newest-if-current\" (policies.toml, line 2)");

  CurrentRow row = apply(kBread, merge(edit(kBread, {{"points", number(5)}}), kBread, rules));
  row = apply(row, merge(edit(kBread, {{"points", number(4)}}), row, rules));
  CHECK(row.fields.at("points") == number(6));
  CHECK(merge(edit(kBread, {{"name", text("Roll")}}), kBread, rules).conflicts.size() == 1);
  RowEdit tax = edit(kBread, {{"rate", number(7)}});
  tax.kind = "tax";
  CHECK(merge(tax, kBread, rules).conflicts[0].why == "row.default.default = \"ask\" (policies.toml, line 7)");
}

TEST_CASE("an edit of what was deleted, and a deletion of what was edited, are conflicts; a new row is none") {
  const Policies rules;
  RowEdit away{"product", "bread", kBread.version, true, {}};
  const RowEdit price = edit(kBread, {{"price", number(380)}});
  const CurrentRow gone = apply(kBread, merge(away, kBread, rules));
  CHECK(gone.deleted);
  CHECK(merge(price, gone, rules).conflicts.size() == 1);
  const CurrentRow edited = apply(kBread, merge(price, kBread, rules));
  CHECK(merge(away, edited, rules).conflicts.size() == 1);
  CHECK_FALSE(merge(away, gone, rules).changed);
  const Merged fresh = merge(edit({}, {{"name", text("Cake")}}), std::nullopt, rules);
  CHECK(fresh.changed);
  CHECK(fresh.fields == RowFields{{"name", text("Cake")}});
}

TEST_CASE("a policy file says which line is wrong, and what it may say") {
  const auto error = [](const std::string& file) { return Policies::parse(file, "p.toml").error().message; };
  CHECK(error("[row.product]\n\nprice = \"newest\"\n") ==
        "p.toml, line 3: row.product.price is merge, newest-if-current, sum, max or ask");
  CHECK(error("[anomaly]\nbelow = \"ask\"\n").find("p.toml, line 2: 'below' is no anomaly: they are below_zero,") == 0);
  CHECK(error("[anomaly]\nbelow_zero = 3\n") == "p.toml, line 2: anomaly.below_zero is log, backorder or ask");
  CHECK(error("[sell.default]\nstock = \"warn\"\n") ==
        "p.toml, line 2: [sell.default] has out_of_stock and unknown_stock, and no 'stock'");
  CHECK(error("[rows]\n").find("p.toml, line 1: 'rows' is not known here") == 0);
  CHECK(error("[row.product\n").find("p.toml, line 1: ") == 0);
  const Policies rules = policies("[sell.drinks]\nout_of_stock = 'block'\n");
  CHECK(rules.out_of_stock("drinks").rule == SellRule::block);
  CHECK(rules.out_of_stock("bread").rule == SellRule::warn);
  CHECK(rules.unknown_stock("drinks").rule == SellRule::allow);
  CHECK(rules.anomaly("below_zero").rule == AnomalyRule::ask);
  CHECK(rules.anomaly("stale_price").rule == AnomalyRule::log);
}

TEST_CASE("a row's fields come apart and together again byte for byte; what is no map is refused") {
  const Bytes whole = join_fields(kBread.fields);
  CHECK(split_fields(whole) == kBread.fields);
  CHECK_FALSE(split_fields(number(3)));
  CHECK_FALSE(split_fields(whole.substr(0, whole.size() - 1)));
  CHECK_FALSE(split_fields(whole + "x"));
}
