// Plays a scenario: does its steps, heals everything, demands that all queues drain, and checks the rules all along.
//
//   const Outcome outcome = play(scenario);
//   for (const std::string& rule : outcome.violations) std::cerr << rule << '\n';
#pragma once

#include "sim/scenario/scenario.hpp"

namespace tillsync::sim {

class Timeline;

struct Outcome {
  std::uint64_t seed = 0;
  std::vector<std::string> violations;  // empty: all rules and expectations held
  std::vector<std::string> log;         // what was done, with the time of day
  std::uint64_t trace_hash = 0;
  std::uint64_t receipts = 0, refused = 0, ops_in_cloud = 0, conflicts = 0, messages = 0;
  double simulated_s = 0, drained_s = 0;
};

struct Listeners {
  World::Tracer tracer;
  Timeline* timeline = nullptr;
};

Outcome play(const Scenario& scenario, const Listeners& listeners = {});

}  // namespace tillsync::sim
