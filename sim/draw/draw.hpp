// Draws a scenario from a seed: a branch of one to five tills sells while faults strike it. Swarm style (Groce et al.
// 2012): each seed turns a random subset of the faults on, at random strength.
#pragma once

#include "sim/scenario/scenario.hpp"

namespace tillsync::sim {

Scenario draw_scenario(std::uint64_t seed);

// A quiet trading day from 08:00 to 20:00, times `days`.
Scenario trading_days(std::uint64_t seed, int days, int tills = 5, int sales_a_day = 2000);

}  // namespace tillsync::sim
