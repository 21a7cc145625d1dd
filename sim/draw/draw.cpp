#include "sim/draw/draw.hpp"

#include <algorithm>

namespace tillsync::sim {

namespace {

// The faults that a seed may turn on, in the order in which they are drawn.
enum Fault {
  kCrash,
  kPower,
  kCut,
  kOneWay,
  kMend,
  kCloud,
  kFull,
  kBackup,
  kClock,
  kRestart,
  kBlackout,
  kSuspend,
  kLine,
  kRot,
  kClone,
  kForge,
  kNewer,
  kHandOver,
  kDyingLine,
  kSet,
  kFitness,
  kLateWord,
  kFaults
};

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
    choose_faults();
    const int rounds = 20 + static_cast<int>(dice_.below(60));
    for (int round = 0; round < rounds; ++round) {
      for (int fault = 0; fault < kFaults; ++fault) {
        if (static_cast<int>(dice_.below(100)) < strengths_[fault] * 2) strike(static_cast<Fault>(fault));
      }
      if (forgetful_) {
        if (nights_.below(20) == 0) add(Verb::backup).who = {"cloud"};
        if (nights_.below(5) == 0) add(Verb::restore).who = {"cloud"};  // mostly not possible: somebody is down
      }
      if (dice_.below(3) == 0) add(Verb::start).who = {any()};
      trade();
      now_ += milliseconds(50 + dice_.below(1500));
    }
    out_.length = now_;
    return std::move(out_);
  }

 private:
  void choose_faults() {
    for (int& strength : strengths_) strength = dice_.below(2) == 0 ? 0 : static_cast<int>(1 + dice_.below(10));
    for (Fault rare : {kClone, kForge, kRot}) {
      if (dice_.below(4) != 0) strengths_[rare] = 0;  // after these many other rules can't be asked
    }
    const bool goes_back = forgetful_ || strengths_[kBackup] + strengths_[kClone] + strengths_[kRot] > 0;
    if (shelves_.below(3) == 0 && !goes_back) out_.plan.keep = milliseconds(500 + shelves_.below(5000));
    if (dice_.below(3) == 0) out_.line.resets_per_million = dice_.below(2000);
    out_.line.delay = milliseconds(1 + dice_.below(40));
    out_.line.jitter = milliseconds(1 + dice_.below(20));
    for (int t = 1; t <= out_.plan.tills && dice_.below(4) == 0; ++t) {
      Step& step = add(Verb::drift);
      step.who = {"till-" + std::to_string(t)};
      step.number = static_cast<std::int64_t>(dice_.below(4000)) - 2000;
    }
  }

  Step& add(Verb verb) {
    out_.steps.emplace_back();
    out_.steps.back().at = now_;
    out_.steps.back().verb = verb;
    return out_.steps.back();
  }

  std::string any() { return any(dice_); }
  std::string any(Random& dice) const {
    return "till-" + std::to_string(1 + dice.below(static_cast<std::uint64_t>(out_.plan.tills)));
  }
  std::string any_machine() { return dice_.below(4) == 0 ? "cloud" : any(); }
  Duration a_while(std::uint64_t up_to_ms) { return milliseconds(1 + dice_.below(up_to_ms)); }

  void strike(Fault fault) {
    switch (fault) {
      case kCrash:
      case kPower:
        add(fault == kPower ? Verb::power_cut : Verb::crash).who = {any()};
        return;
      case kCut: {
        Step& step = add(Verb::cut);
        step.who = {any_machine()}, step.whom = {"rest"};
        return;
      }
      case kOneWay: {
        Step& step = add(Verb::cut_one_way);
        step.who = {any_machine()}, step.whom = {any_machine()};
        return;
      }
      case kMend: {
        Step& step = add(Verb::mend);
        step.who = step.whom = {"all", "cloud"};
        return;
      }
      case kCloud: {
        Step& step = add(Verb::crash);
        step.who = {"cloud"}, step.lasting = a_while(20'000);
        return;
      }
      case kFull:
        add(dice_.below(2) == 0 ? Verb::disk_full : Verb::disk_free).who = {any()};
        return;
      case kBackup: {
        const std::string till = any();
        add(backed_up_.insert(till).second ? Verb::backup : Verb::restore).who = {till};
        if (out_.steps.back().verb == Verb::restore) backed_up_.erase(till);
        return;
      }
      case kClock: {
        Step& step = add(Verb::clock);
        step.who = {any()}, step.number = static_cast<std::int64_t>(dice_.below(4000)) - 2000;
        return;
      }
      case kRestart:
        add(Verb::restart).who = {any()};
        return;
      case kBlackout: {  // the mains fail; one till may have a battery, the access point rarely has
        const std::string battery = any();
        if (dice_.below(2) == 0) {
          Step& alone = add(Verb::cut);
          alone.who = {battery}, alone.whom = {"rest"}, alone.lasting = a_while(10'000);
        }
        Step& step = add(Verb::power_cut);
        for (int t = 1; t <= out_.plan.tills; ++t) {
          const std::string till = "till-" + std::to_string(t);
          if (till != battery || out_.plan.tills == 1) step.who.push_back(till);
        }
        step.lasting = a_while(1000);
        return;
      }
      case kSuspend: {
        Step& step = add(Verb::suspend);
        step.who = {any()}, step.lasting = a_while(15'000);
        return;
      }
      case kLine:
        return change_line();
      case kRot: {
        Step& step = add(Verb::rot);
        step.who = {any()}, step.number = static_cast<std::int64_t>(dice_.below(1000));
        return;
      }
      case kClone: {
        if (clones_ == 1) return;
        Step& step = add(Verb::clone);
        step.who = {any()}, step.word = "clone-" + std::to_string(++clones_);
        return;
      }
      case kForge: {
        Step& step = add(Verb::forge);
        step.who = {any()}, step.lasting = a_while(10'000);
        return;
      }
      case kNewer:
        add(Verb::newer).who = {any()};
        return;
      case kHandOver:
        add(Verb::hand_over).who = {any()};
        return;
      case kDyingLine: {  // the host's line gets slow, the host stands still for a moment, and then its line is gone
        Step& slow = add(Verb::delay);
        slow.who = {"host"}, slow.whom = {"rest"}, slow.lasting = seconds(6);
        slow.number = static_cast<std::int64_t>(100 + dice_.below(300));
        const Duration still = now_ + milliseconds(1000 + dice_.below(3000)), awake = a_while(1200);
        Step& lid = add(Verb::suspend);
        lid.at = still, lid.who = {"host"}, lid.lasting = awake;
        Step& dead = add(Verb::cut);
        dead.at = still + awake + milliseconds(5);
        dead.who = {"host"}, dead.whom = {"rest"}, dead.lasting = seconds(5);
        return;
      }
      case kSet: {
        Step& step = add(Verb::set);
        step.who = {dice_.below(2) == 0 ? "host" : any()}, step.word = "opening";
        step.number = static_cast<std::int64_t>(dice_.below(100));
        return;
      }
      case kFitness: {
        Step& step = add(Verb::fitness);
        step.who = {any()}, step.number = static_cast<std::int64_t>(dice_.below(4));
        return;
      }
      case kLateWord: {  // what a host told the cloud arrives when another hosts already
        Step& slow = add(Verb::delay);
        slow.who = {"host"}, slow.whom = {"cloud"}, slow.lasting = milliseconds(500);
        slow.number = static_cast<std::int64_t>(3000 + dice_.below(4000));
        Step& word = add(Verb::set);
        word.at = now_ + milliseconds(1), word.who = {"host"}, word.word = "opening";
        Step& alone = add(Verb::cut);
        alone.at = now_ + milliseconds(2);
        alone.who = {"host"}, alone.whom = {"all"}, alone.lasting = seconds(8);
        Step& next = add(Verb::set);
        next.at = now_ + milliseconds(1500 + dice_.below(3000));
        next.who = {"all"}, next.word = "opening", next.number = 1;
        return;
      }
      case kFaults:
        return;
    }
  }

  void change_line() {
    constexpr Verb kinds[] = {Verb::delay, Verb::delay, Verb::loss, Verb::reorder, Verb::bandwidth};
    Step& step = add(kinds[dice_.below(5)]);
    step.who = {any_machine()}, step.whom = {"rest"}, step.lasting = a_while(20'000);
    step.number = static_cast<std::int64_t>(10 + dice_.below(400));                // ms, kbit/s
    if (step.verb == Verb::loss || step.verb == Verb::reorder) step.number *= 50;  // up to 20 %
  }

  void trade() {
    const std::uint64_t ops = dice_.below(8);
    for (std::uint64_t i = 0; i < ops; ++i) {
      constexpr Verb seldom[] = {Verb::refund, Verb::restock, Verb::count, Verb::sell_unknown};
      Step& step = add(dice_.below(8) == 0 ? seldom[dice_.below(4)] : Verb::sell);
      step.who = {any()};
      step.word = "sku-" + std::to_string(dice_.below(5));
      step.number = 1000 * static_cast<std::int64_t>(1 + dice_.below(3));
      if (step.verb == Verb::sell && dice_.below(20) == 0) step.key = "twice/" + std::to_string(dice_.below(10));
    }
    if (talkative_ && words_.below(8) == 0) {
      Step& step = add(words_.below(2) == 0 ? Verb::edit : Verb::settle);
      step.who = {any(words_)};
      if (step.verb == Verb::edit) step.word = "sku-" + std::to_string(words_.below(5));
      step.number = static_cast<std::int64_t>(words_.below(1000));
    }
    if (dice_.below(10) == 0) {
      Step& step = add(dice_.below(4) == 0 ? Verb::drop_price : Verb::price);
      step.word = "sku-" + std::to_string(dice_.below(5));
      step.number = static_cast<std::int64_t>(dice_.below(1000));
    }
  }

  Random dice_;
  Random words_;  // people's edits and settlements: the rest of a shop is the same with and without them
  bool talkative_ = words_.below(2) == 0;
  Random nights_;  // when the cloud is copied, and goes back to the copy: likewise
  bool forgetful_ = nights_.below(3) == 0;
  Random shelves_;  // how long tills keep what is in the cloud: likewise
  Scenario out_;
  Duration now_{};
  int strengths_[kFaults] = {};
  std::set<std::string> backed_up_;
  int clones_ = 0;
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
