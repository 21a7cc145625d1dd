// Each rule alone, shown what must not happen: that it can see is proved here for the rule, and by `sim --mutants` for
// all of them together.
#include <doctest/doctest.h>

#include <set>

#include "sim/rules/rule_table.hpp"
#include "storage/model/op_codec.hpp"

using namespace tillsync;
using namespace tillsync::sim;

namespace {

// A shop of two tills without events: nothing happens in it but what the test says.
struct Court {
  explicit Court(const RuleKind& kind) : rule(kind.make(evidence, violations)) {}

  std::string breach() const { return violations.all().empty() ? "" : violations.all().front(); }
  SimTill& till() { return fleet.till(1); }

  RememberedSignatures signatures;
  Fleet fleet{1, 2};
  Evidence evidence{fleet};
  Violations violations;
  std::unique_ptr<Rule> rule;
};

Op op(std::uint64_t seq, const std::string& key, OpKind kind = OpKind::sale, std::int64_t units = 1) {
  Op out;
  out.branch = BranchId{"main-street"};
  out.chain = {TillId{"till-1"}, Incarnation{1}};
  out.seq = Seq{seq};
  out.hlc = Hlc{seq << 20};
  out.kind = kind;
  out.key = key;
  Document document;
  document.lines.push_back({"bread", Quantity::units(units), 350, {}});
  out.body = encode(document);
  return out;
}

// Comes to the cloud, behind `before`.
void arrive(Rule& rule, const Op& op, const ChainPoint& before = {}) {
  const Bytes bytes = encode(op);
  const std::optional<Op> read = op;
  rule.on_stored({0, op.chain, before, bytes, blake2b(bytes), read});
}

}  // namespace

TEST_CASE("every rule has a name of its own and a sentence, and is found by its name") {
  std::set<std::string> names;
  for (const RuleKind* kind : all_rules()) {
    CAPTURE(kind->name);
    CHECK(names.insert(kind->name).second);
    CHECK(std::string(kind->promise).ends_with("."));
    CHECK(find_rule(kind->name) == kind);
  }
  CHECK(find_rule("no-such-rule") == nullptr);
}

TEST_CASE("receipt: one for an op that is on no disk yet") {
  Court court(rules::receipt);
  const Bytes sale = encode(op(1, "k"));
  const HandedOut handed{"k", {Incarnation{1}, Seq{1}, Hlc{1}, blake2b(sale)}};
  court.rule->on_receipt(court.till(), handed);
  CHECK(court.breach() == "receipt: till-1 handed out k before it was on the disk");

  Court later(rules::receipt);
  later.evidence.on_flushed({sale});
  later.rule->on_receipt(later.till(), handed);
  CHECK(later.breach().empty());
}

TEST_CASE("growth: a journal that grows with no receipt") {
  Court court(rules::growth);
  for (std::uint64_t i = 1; i <= 201; ++i) {
    CHECK(court.breach().empty());
    court.evidence.on_flushed({encode(op(i, "k" + std::to_string(i)))});
    court.rule->on_flushed(court.till(), {});
  }
  CHECK(court.breach() == "growth: 201 ops on disk for 0 receipts");
}

TEST_CASE("level: 'in the cloud' of what is not there, unless the cloud had it before it went back") {
  Court court(rules::level);
  court.evidence.shop(0).take(op(1, "there"), OpEffect::applied);
  court.rule->on_level(court.till(), "there", Level::cloud);
  CHECK(court.breach().empty());
  court.evidence.cloud_went_back({});
  court.rule->on_level(court.till(), "there", Level::cloud);
  CHECK(court.breach().empty());
  court.rule->on_level(court.till(), "nowhere", Level::cloud);
  CHECK(court.breach() == "level: till-1 was told that nowhere is in the cloud");
}

TEST_CASE("unreadable: a message that is none") {
  Court court(rules::unreadable);
  court.rule->on_unreadable(court.till(), "xyz");
  CHECK(court.breach() == "unreadable: till-1 sent a malformed message of 3 bytes");
}

TEST_CASE("order: a gap, another op before it, and a cloud that forgets") {
  const Op first = op(1, "a");
  const ChainPoint one{Seq{1}, blake2b(encode(first))};
  Op second = op(2, "b");
  second.prev = one.hash;
  {
    Court court(rules::order);
    arrive(*court.rule, first);
    arrive(*court.rule, second, one);
    court.rule->on_watermark(0, first.chain, one, one);
    CHECK(court.breach().empty());
    court.rule->on_watermark(0, first.chain, {}, one);
    CHECK(court.breach() == "order: the cloud forgot ops of till-1");
  }
  Court gap(rules::order), stranger(rules::order), watermark(rules::order);
  arrive(*gap.rule, op(3, "c"), one);
  CHECK(gap.breach() == "order: till-1 at 2");
  arrive(*stranger.rule, op(2, "b"), one);
  CHECK(stranger.breach() == "order: till-1 at 2");
  watermark.rule->on_watermark(0, first.chain, {Seq{1}, blake2b("another")}, one);
  CHECK(watermark.breach() == "order: the cloud's watermark of till-1 is not its last op");
}

TEST_CASE("cashier-order: an op that lies before the one that its cashier recorded earlier, until a clock was set") {
  Op earlier = op(9, "first"), later = op(1, "then");
  later.chain.till = TillId{"till-2"}, later.cashier = "ann", later.cashier_prev = blake2b(encode(earlier));
  Court court(rules::cashier_order);
  court.evidence.on_flushed({encode(earlier)});
  arrive(*court.rule, later);
  CHECK(court.breach() == "order: of cashier ann at then");

  Court excused(rules::cashier_order);
  excused.evidence.on_flushed({encode(earlier)});
  excused.evidence.misfortunes().clock_was_set();
  arrive(*excused.rule, later);
  CHECK(excused.breach().empty());
}

TEST_CASE("invented: an op that nobody recorded") {
  Court court(rules::invented);
  arrive(*court.rule, op(1, "k"));
  CHECK(court.breach() == "invented: nobody recorded k of till-1");
}

TEST_CASE("doubled: a key in effect twice") {
  Court court(rules::doubled);
  const Op again = op(2, "k"), changed = op(3, "k", OpKind::sale, 5);
  ShopModel& shop = court.evidence.shop(0);
  shop.take(op(1, "k"), OpEffect::applied);
  CHECK(shop.right_effect(again) == OpEffect::duplicate);
  CHECK(shop.right_effect(changed) == OpEffect::conflict);
  court.rule->on_effect(0, again, OpEffect::duplicate, shop.right_effect(again));
  CHECK(court.breach().empty());
  court.rule->on_effect(0, changed, OpEffect::applied, shop.right_effect(changed));
  CHECK(court.breach() == "doubled: k does not have the effect that it must");
}

TEST_CASE("cloud-stock: a row that does not follow the ops") {
  Court court(rules::cloud_stock);
  court.evidence.shop(0).take(op(1, "k"), OpEffect::applied);
  const auto moved = court.evidence.shop(0).end_of_job();
  CHECK(moved == std::set<std::string>{"bread"});
  court.fleet.cloud().read([&](CloudTxn& txn) { court.rule->on_stock(0, txn, moved); });
  CHECK(court.breach() == "stock: the cloud's row of bread is not the fold of its ops");
}

TEST_CASE("fencing: an earlier host that commands the cloud, unless nobody can know of the later one") {
  Ballot early, late;
  early.branch = late.branch = BranchId{"main-street"};
  early.candidate = TillId{"till-2"}, late.candidate = TillId{"till-1"};
  early.term = Term{3}, late.term = Term{4};
  Court court(rules::fencing);
  court.rule->on_commanded(late);
  CHECK(court.breach().empty());
  court.rule->on_commanded(early);
  CHECK(court.breach() == "fencing: till-2 commanded the cloud in term 3 after another in 4");

  Court excused(rules::fencing);
  excused.rule->on_commanded(late);
  excused.evidence.misfortunes().till_went_back({});
  excused.evidence.cloud_went_back({});
  excused.rule->on_commanded(early);
  CHECK(excused.breach().empty());
}

TEST_CASE("lost: a receipt whose op is not in the cloud, unless it lay on a destroyed disk") {
  Court court(rules::lost);
  court.fleet.network().cut_off("cloud");
  court.fleet.sell(1, "gone");
  REQUIRE(court.fleet.world().run_until([&] { return !court.till().receipts().empty(); }, seconds(5)));
  court.rule->after_quiet();
  CHECK(court.breach() == "lost: gone of till-1");

  Court excused(rules::lost);
  excused.fleet.sell(1, "gone");
  REQUIRE(excused.fleet.world().run_until([&] { return !excused.till().receipts().empty(); }, seconds(5)));
  excused.evidence.misfortunes().till_went_back({"gone"});
  excused.rule->after_quiet();
  CHECK(excused.breach().empty());
}

TEST_CASE("rows: one that has not come in the end") {
  Court court(rules::rows);
  court.fleet.network().cut_off("cloud");
  court.fleet.cloud().put_row(court.fleet.shop(), {{"tenant", "product"}, "bread", false, "v1"});
  court.fleet.world().run_for(seconds(1));  // an import is a job of the cloud's
  court.rule->at_any_time();                // the watermark does not cover it
  CHECK(court.breach().empty());
  court.rule->after_quiet();
  CHECK(court.breach() == "rows: till-1 does not have product bread as the cloud has it");
}

TEST_CASE("listed: two contents of one key, and a fork, that nobody is told of") {
  Court court(rules::listed);
  court.evidence.shop(0).take(op(1, "k"), OpEffect::applied);
  court.evidence.shop(0).take(op(2, "k", OpKind::sale, 5), OpEffect::conflict);
  court.rule->after_quiet();
  CHECK(court.breach() == "vanished: two ops with the key k differ, and nobody is told");

  Court fork(rules::listed);
  fork.evidence.shop(0).take(op(1, "f", OpKind::incarnation), OpEffect::applied);
  fork.rule->after_quiet();
  CHECK(fork.breach() == "vanished: the fork of till-1 is not listed");
}

TEST_CASE("dips: more sold than there was, of what was once delivered, that nobody is told of") {
  Court court(rules::dips), never_kept(rules::dips);
  court.evidence.shop(0).take(op(1, "in", OpKind::restock, 1), OpEffect::applied);
  for (Court* each : {&court, &never_kept}) {
    each->evidence.shop(0).take(op(2, "out", OpKind::sale, 3), OpEffect::applied);
    each->evidence.shop(0).end_of_job();
    each->rule->after_quiet();
  }
  CHECK(court.breach().starts_with("vanished: nobody is told of below_zero/bread/"));
  CHECK(never_kept.breach().empty());
}

TEST_CASE("drain: what does not settle in time is said with what is missing") {
  Court court(rules::drain);
  court.rule->on_not_drained(std::chrono::minutes(3));
  CHECK(court.breach().starts_with("drain: not settled 180 s after healing: "));
}
