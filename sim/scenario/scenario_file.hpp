// Scenarios as TOML files: docs/simulator.md says how to write one, sim/scenarios/ holds those that ship.
#pragma once

#include "sim/scenario/scenario.hpp"

namespace tillsync::sim {

// Errors: invalid, with the line and what to do.
Result<Scenario> parse_scenario(const std::string& text, const std::string& where);
std::string toml_of(const Scenario& scenario);

}  // namespace tillsync::sim
