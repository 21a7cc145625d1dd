#include "sim/draw/shrink.hpp"

#include <algorithm>

namespace tillsync::sim {

namespace {

// "lost: sale/7 of till-2" and "lost: sale/9 of till-1" are the same rule.
std::string rule_of(const Outcome& outcome) {
  if (outcome.violations.empty()) return {};
  const std::string& first = outcome.violations.front();
  return first.substr(0, first.find(':'));
}

class Shrinker {
 public:
  Shrinker(const Scenario& scenario, const Outcome& outcome, int max_runs,
           const std::function<bool(std::size_t, int)>& progress)
      : best_{scenario.spelled_out(), outcome, 0}, rule_(rule_of(outcome)), max_runs_(max_runs), progress_(progress) {}

  Shrunk run() {
    for (std::size_t before = ~std::size_t{0}; going_ && best_.scenario.steps.size() < before;) {
      before = best_.scenario.steps.size();
      drop_steps();
      drop_tills();
      end_sooner();
    }
    return std::move(best_);
  }

 private:
  bool try_it(Scenario candidate) {
    if (!going_) return false;
    Outcome outcome = play(candidate);
    going_ = ++best_.runs < max_runs_ && progress_(best_.scenario.steps.size(), best_.runs);
    if (rule_of(outcome) != rule_) return false;
    best_.scenario = std::move(candidate), best_.outcome = std::move(outcome);
    return true;
  }

  void drop_steps() {
    for (std::size_t piece = std::max<std::size_t>(1, best_.scenario.steps.size() / 2); piece > 0; piece /= 2) {
      for (std::size_t at = 0; at < best_.scenario.steps.size() && going_;) {
        Scenario fewer = best_.scenario;
        const auto from = fewer.steps.begin() + static_cast<std::ptrdiff_t>(at);
        const auto n = std::min(piece, fewer.steps.size() - at);
        fewer.steps.erase(from, from + static_cast<std::ptrdiff_t>(n));
        fewer.drop_strangers();  // of a clone that is not made any more: what is left can be read again
        if (!try_it(std::move(fewer))) at += piece;
      }
    }
  }

  // The last till, with all that names it.
  void drop_tills() {
    while (going_ && best_.scenario.plan.tills > 1) {
      Scenario fewer = best_.scenario;
      --fewer.plan.tills;
      fewer.drop_strangers();
      if (!try_it(std::move(fewer))) return;
    }
  }

  void end_sooner() {
    Scenario sooner = best_.scenario;
    Duration last{};
    for (const Step& step : sooner.steps) {
      if (step.at != Scenario::kAtEnd) last = std::max(last, step.at + seconds(1));
    }
    if (last >= sooner.length) return;
    sooner.length = last;
    try_it(std::move(sooner));
  }

  Shrunk best_;
  std::string rule_;
  int max_runs_;
  std::function<bool(std::size_t, int)> progress_;
  bool going_ = true;
};

}  // namespace

Shrunk shrink(const Scenario& scenario, const Outcome& outcome, int max_runs,
              const std::function<bool(std::size_t, int)>& progress) {
  return Shrinker(scenario, outcome, max_runs, progress).run();
}

}  // namespace tillsync::sim
