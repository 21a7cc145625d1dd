// Cuts a failing scenario down to the fewest steps that still break the same rule (delta debugging, Zeller and
// Hildebrandt 2002).
#pragma once

#include <functional>

#include "sim/scenario/run.hpp"

namespace tillsync::sim {

struct Shrunk {
  Scenario scenario;
  Outcome outcome;
  int runs = 0;
};

// `outcome` is what playing `scenario` gave. `progress` is told after every run; false stops with the best so far.
Shrunk shrink(const Scenario& scenario, const Outcome& outcome, int max_runs,
              const std::function<bool(std::size_t steps, int runs)>& progress);

}  // namespace tillsync::sim
