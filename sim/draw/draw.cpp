#include "sim/draw/draw.hpp"

#include "sim/draw/faults.hpp"

namespace tillsync::sim {

namespace {

class Draw {
 public:
  explicit Draw(std::uint64_t seed)
      : dice_(seed ^ 0x6368616f73ULL),
        words_(seed ^ 0x776f726473ULL),
        nights_(seed ^ 0x6e6967687473ULL),
        shelves_(seed ^ 0x7368656c766573ULL) {
    out_.name = "seed " + std::to_string(seed);
    out_.story = "Drawn by chance.";
    out_.plan = {seed, 1, 1 + static_cast<int>(dice_.below(5)),
                 1000 + 1000 * static_cast<std::uint32_t>(dice_.below(3))};
    out_.plan.witness = out_.plan.tills % 2 == 0 && dice_.below(3) != 0;
    out_.start = std::chrono::hours(10);
  }

  Scenario scenario() {
    lay_out();
    const int rounds = 20 + static_cast<int>(dice_.below(60));
    for (int round = 0; round < rounds; ++round) {
      faults_.strike_some();
      if (forgetful_) {
        if (nights_.below(20) == 0) script_.add("backup").who = {"cloud"};
        if (nights_.below(5) == 0) script_.add("restore").who = {"cloud"};  // mostly not possible: somebody is down
      }
      if (dice_.below(3) == 0) script_.add("start").who = {script_.any(dice_)};
      trade();
      script_.pass(milliseconds(50 + dice_.below(1500)));
    }
    out_.length = script_.now();
    return std::move(out_);
  }

 private:
  void lay_out() {
    faults_.choose_strengths();
    const bool goes_back = forgetful_ || faults_.is_on("backup") || faults_.is_on("clone") || faults_.is_on("rot");
    if (shelves_.below(3) == 0 && !goes_back) out_.plan.keep = milliseconds(500 + shelves_.below(5000));
    if (dice_.below(3) == 0) out_.line.resets_per_million = dice_.below(2000);
    out_.line.delay = milliseconds(1 + dice_.below(40));
    out_.line.jitter = milliseconds(1 + dice_.below(20));
    for (int t = 1; t <= out_.plan.tills && dice_.below(4) == 0; ++t) {
      Step& step = script_.add("drift");
      step.who = {Script::till(t)};
      step.number = static_cast<std::int64_t>(dice_.below(4000)) - 2000;
    }
  }

  void trade() {
    const std::uint64_t ops = dice_.below(8);
    for (std::uint64_t i = 0; i < ops; ++i) sell_something();
    if (talkative_ && words_.below(8) == 0) {
      const bool edits = words_.below(2) == 0;
      Step& step = script_.add(edits ? "edit" : "settle");
      step.who = {script_.any(words_)};
      if (edits) step.word = product(words_);
      step.number = static_cast<std::int64_t>(words_.below(1000));
    }
    if (dice_.below(10) == 0) {
      Step& step = script_.add(dice_.below(4) == 0 ? "drop-price" : "price");
      step.word = product(dice_);
      step.number = static_cast<std::int64_t>(dice_.below(1000));
    }
  }

  void sell_something() {
    constexpr const char* seldom[] = {"refund", "restock", "count", "record-unknown"};
    const bool sells = dice_.below(8) != 0;
    Step& step = script_.add(sells ? "sell" : seldom[dice_.below(4)]);
    step.who = {script_.any(dice_)};
    step.word = product(dice_);
    step.number = 1000 * static_cast<std::int64_t>(1 + dice_.below(3));
    if (sells && dice_.below(20) == 0) step.key = "twice/" + std::to_string(dice_.below(10));
  }

  static std::string product(Random& dice) { return "sku-" + std::to_string(dice.below(5)); }

  Random dice_;
  Random words_;  // people's edits and settlements: the rest of a shop is the same with and without them
  bool talkative_ = words_.below(2) == 0;
  Random nights_;  // when the cloud is copied, and goes back to the copy: likewise
  bool forgetful_ = nights_.below(3) == 0;
  Random shelves_;  // how long tills keep what is in the cloud: likewise
  Scenario out_;
  Script script_{out_};
  Faults faults_{dice_, script_};
};

}  // namespace

Scenario draw_scenario(std::uint64_t seed) { return Draw(seed).scenario(); }

Scenario trading_days(std::uint64_t seed, int days, int tills, int sales_a_day) {
  Scenario out;
  out.name = std::to_string(days) + (days == 1 ? " trading day" : " trading days");
  out.story = "A quiet branch.";
  out.plan = {seed, 1, tills, 3000};
  out.start = std::chrono::hours(8);
  out.length = std::chrono::hours(24) * (days - 1) + std::chrono::hours(12);
  for (int day = 0; day < days; ++day) {
    const Duration opens = std::chrono::hours(24) * day;
    out.sales.push_back({opens, opens + std::chrono::hours(12), sales_a_day, {}, 100});
  }
  return out;
}

}  // namespace tillsync::sim
