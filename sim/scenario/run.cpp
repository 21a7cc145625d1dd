#include "sim/scenario/run.hpp"

#include "sim/rules/rules.hpp"
#include "sim/scenario/player.hpp"
#include "sim/scenario/timeline.hpp"

namespace tillsync::sim {

namespace {

constexpr Duration kAskEvery = milliseconds(250);  // whether all is settled

constexpr int kRowLooks = 1000;  // in a run, at most

class Run {
 public:
  Run(const Scenario& scenario, const Listeners& listeners)
      : scenario_(scenario), timeline_(listeners.timeline), fleet_(scenario.plan, &rules_) {
    rules_.watch_over(fleet_, std::max<Duration>(seconds(1), scenario.length / kRowLooks));
    fleet_.network().line() = scenario.line;
    fleet_.world().listen(listeners.tracer);
  }

  Outcome play() {
    for (const Step& step : scenario_.steps) {
      if (step.at >= scenario_.length) continue;  // or at the end
      fleet_.world().after(step.at, [this, &step] { player_.carry_out(step); });
    }
    const Instant end = fleet_.world().now() + scenario_.length;
    fleet_.world().run_until([&] { return !look() || fleet_.world().now() >= end; }, scenario_.length);
    if (rules_.broken().empty()) drain();
    if (rules_.broken().empty()) rules_.when_settled();
    for (const Step& step : scenario_.steps) {
      if (step.at == Scenario::kAtEnd && rules_.broken().empty()) player_.carry_out(step);
    }
    return outcome();
  }

 private:
  bool look() {
    if (timeline_ != nullptr) timeline_->after_event(fleet_);
    return rules_.after_event();
  }

  void drain() {
    player_.heal();
    const Instant healed = fleet_.world().now();
    bool settled = false;
    Instant next = healed;
    auto done = [&] {
      if (!look()) return true;
      if (fleet_.world().now() < next) return false;
      next = fleet_.world().now() + kAskEvery;
      return settled = fleet_.settled();
    };
    fleet_.world().run_until(done, scenario_.drain_limit);
    drained_ = fleet_.world().now() - healed;
    if (!settled && rules_.broken().empty()) rules_.not_drained(scenario_.drain_limit);
  }

  Outcome outcome() {
    Outcome out;
    out.seed = scenario_.plan.seed;
    out.violations = rules_.broken();
    out.log = player_.log();
    out.trace_hash = fleet_.world().trace_hash();
    for (const auto& till : fleet_.tills())
      out.receipts += till->receipts().size(), out.refused += till->refusals().size();
    out.ops_in_cloud = rules_.ops_in_cloud();
    for (int b = 0; b < fleet_.branches() && fleet_.cloud().alive(); ++b) out.conflicts += fleet_.conflicts(b).size();
    out.messages = fleet_.network().messages();
    out.simulated_s = static_cast<double>(to_ms(fleet_.world().now().since_boot)) / 1000.0;
    out.drained_s = static_cast<double>(to_ms(drained_)) / 1000.0;
    return out;
  }

  RememberedSignatures signatures_;
  const Scenario& scenario_;
  Timeline* timeline_;
  Rules rules_;
  Fleet fleet_;
  Player player_{scenario_, fleet_, rules_};
  Duration drained_{};
};

}  // namespace

Outcome play(const Scenario& scenario, const Listeners& listeners) {
  const Scenario whole = scenario.spelled_out();
  return Run(whole, listeners).play();
}

}  // namespace tillsync::sim
