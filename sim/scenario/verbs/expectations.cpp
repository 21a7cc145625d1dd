// What a scenario's author expects, at a time or in the end.
#include <algorithm>
#include <functional>

#include "sim/scenario/verbs/verb_table.hpp"
#include "sim/scenario/verbs/words.hpp"

namespace tillsync::sim {

namespace {

using Look = std::vector<std::string> (*)(Stage&, const Step&);  // what is seen instead of what is expected

class Expectation : public Verb {
 public:
  Expectation(const char* what, const char* slots, const char* meaning, Look look)
      : Verb(std::string("expect ") + what, {{slots, meaning}}), look_(look) {}

  Played play(Stage& stage, const Step& step) const final {
    Played out = true;
    out.instead = look_(stage, step);
    return out;
  }

 private:
  Look look_;
};

// One whose WORD must be one of these.
class ExpectationOf final : public Expectation {
 public:
  ExpectationOf(const char* what, const char* slots, const char* meaning, std::vector<std::string> known, Look look)
      : Expectation(what, slots, meaning, look), known_(std::move(known)) {}

 private:
  std::string objection(const Step& step) const override {
    if (std::ranges::find(known_, step.word) != known_.end()) return "";
    return "there is no '" + name() + " " + step.word + "': " + did_you_mean(step.word, known_);
  }

  std::vector<std::string> known_;
};

std::vector<std::string> unless_same(std::int64_t expected, std::int64_t seen) {
  if (seen == expected) return {};
  return {std::to_string(seen)};
}

std::int64_t sum(Stage& stage, const Step& step, const std::function<std::uint64_t(SimTill&)>& of) {
  std::uint64_t total = 0;
  for (const std::string& who : step.who) {
    if (SimTill* till = stage.fleet().find(who)) total += of(*till);
  }
  return static_cast<std::int64_t>(total);
}

std::vector<std::string> host(Stage& stage, const Step& step) {
  const SimTill* host = stage.fleet().host();
  const std::string seen = host == nullptr ? "nobody" : host->label();
  if (host != nullptr && step.who == std::vector{seen}) return {};
  return {seen};
}

constexpr const char* name_of(LeaseKind kind) {
  return kind == LeaseKind::exclusive ? "exclusive" : kind == LeaseKind::provisional ? "provisional" : "none";
}

std::vector<std::string> leases_but(const std::string& expected, Stage& stage, const Step& step) {
  std::vector<std::string> others;
  for (const std::string& who : step.who) {
    SimTill* till = stage.fleet().find(who);
    const LeaseView lease = till != nullptr && till->alive() ? till->node().lease(till->now()) : LeaseView{};
    if (expected != name_of(lease.kind))
      others.push_back(std::string(name_of(lease.kind)) + " of " + lease.host.text + " at " + who);
  }
  return others;
}

std::vector<std::string> stock(Stage& stage, const Step& step) {
  std::vector<std::string> others;
  for (const std::string& who : step.who) {
    SimTill* till = stage.fleet().find(who);
    auto stock = till != nullptr && till->alive() ? till->node().all_stock() : stage.fleet().cloud_stock();
    if (stock[step.word] != step.number) others.push_back(std::to_string(stock[step.word]) + " thousandths at " + who);
  }
  return others;
}

std::vector<std::string> unsent(Stage& stage, const Step& step) {
  const std::int64_t waiting =
      sum(stage, step, [](SimTill& till) { return till.alive() ? till.node().status(till.now()).unsent : 0; });
  if (waiting >= step.number) return {};
  return {std::to_string(waiting)};
}

std::vector<std::string> conflicts(Stage& stage, const Step& step) {
  std::int64_t seen = 0;
  for (int b = 0; b < stage.fleet().branches(); ++b) {
    for (const Conflict& c : stage.fleet().conflicts(b))
      seen += c.waits() && (step.word == "any" || c.kind == step.word) ? 1 : 0;
  }
  return unless_same(step.number, seen);
}

std::vector<std::string> settled(Stage& stage, const Step&) {
  if (stage.fleet().settled()) return {};
  return {"not: " + stage.fleet().unsettled()};
}

std::vector<std::string> conflict_kinds() {
  return {"any",           "below_zero",      "clock_suspect",     "count_with_sales", "dead_letter",
          "duplicate_key", "edit_delete",     "edit_edit",         "forked_history",   "stale_price",
          "two_grants",    "two_resolutions", "refund_above_sale", "unknown_sale"};
}

}  // namespace

VerbList expectations() {
  return verbs(
      Expectation("host", "WHO", "all follow this one", host),
      Expectation("no-host", "WHO", "these follow nobody",
                  [](Stage& stage, const Step& step) { return leases_but("none", stage, step); }),
      ExpectationOf("lease", "WORD WHO", "what they know of: exclusive, provisional, none",
                    {"exclusive", "provisional", "none"},
                    [](Stage& stage, const Step& step) { return leases_but(step.word, stage, step); }),
      Expectation("sold", "NUMBER at WHO", "so many receipts were handed out there, in sum",
                  [](Stage& stage, const Step& step) {
                    return unless_same(step.number, sum(stage, step, [](SimTill& t) { return t.receipts().size(); }));
                  }),
      Expectation("refused", "NUMBER at WHO", "so many records were refused there, in sum",
                  [](Stage& stage, const Step& step) {
                    return unless_same(step.number, sum(stage, step, [](SimTill& t) { return t.refusals().size(); }));
                  }),
      Expectation("stock", "WORD UNITS at WHO", "what they believe is on the shelf", stock),
      ExpectationOf("conflicts", "WORD NUMBER", "so many of a kind, or of any, are open in the cloud", conflict_kinds(),
                    conflicts),
      Expectation("unsent", "NUMBER at WHO", "so many ops wait there, at least", unsent),
      Expectation("settled", "", "everything is everywhere", settled));
}

}  // namespace tillsync::sim
