// The script that a seed writes, from the opening of the shop on.
#pragma once

#include "sim/scenario/scenario.hpp"
#include "sim/scenario/verbs/verb_table.hpp"

namespace tillsync::sim {

class Script {
 public:
  explicit Script(Scenario& scenario) : scenario_(scenario) {}

  Duration now() const { return now_; }
  void pass(Duration time) { now_ += time; }
  Step& add(const char* name) { return add(name, now_); }
  Step& add(const char* name, Duration at) {
    Step step;
    step.at = at;
    step.verb = &verb(name);
    return scenario_.steps.emplace_back(std::move(step));
  }

  int tills() const { return scenario_.plan.tills; }
  static std::string till(int number) { return "till-" + std::to_string(number); }
  std::string any(Random& dice) const { return till(1 + static_cast<int>(dice.below(std::uint64_t(tills())))); }

 private:
  Scenario& scenario_;
  Duration now_{};
};

}  // namespace tillsync::sim
