// One run of chance: a branch sells while faults drawn from the seed strike it, then everything is healed and all
// queues must drain. Swarm style (Groce et al. 2012): each run turns a random subset of the faults on, at random
// strength.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tillsync::sim {

struct ChaosResult {
  std::uint64_t seed = 0;
  std::vector<std::string> violations;  // empty: all rules held
  std::vector<std::string> log;         // what was done to the branch, with the time
  std::uint64_t trace_hash = 0;
  std::uint64_t receipts = 0;
  double simulated_s = 0;
};

ChaosResult run_chaos(std::uint64_t seed);

}  // namespace tillsync::sim
