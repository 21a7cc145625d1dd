// A scenario: a shop's layout, what it sells, what happens to it and what is expected. Chance draws them from a seed
// (draw.hpp), people write them as TOML files (scenario_file.hpp), and a run plays them (run.hpp). The steps are a
// small language, one line each; docs/simulator.md is its manual, verbs/verb_table.hpp its source.
//
//   10:02 cut till-1,till-2 from till-3 for 90 s
#pragma once

#include <string>
#include <tillsync/result.hpp>
#include <tillsync/time.hpp>
#include <vector>

#include "sim/scenario/verbs/step.hpp"
#include "sim/world/fleet.hpp"

namespace tillsync::sim {

struct Sales {  // spread evenly by chance over [from, until)
  Duration from{}, until{};
  int count = 0;
  std::vector<std::string> tills;  // empty: all
  int products = 10;
};

struct Scenario {
  static constexpr Duration kAtEnd = Step::kAtEnd;

  std::string name, story;
  FleetPlan plan;
  Line line;
  Duration start{};  // the time of day when the world begins; steps are counted from there
  Duration length{};
  Duration drain_limit = std::chrono::minutes(3);
  std::vector<Sales> sales;
  std::vector<Step> steps;  // in order of time

  std::string clock_time(Duration at) const;  // "10:02:03.250", or "end"
  std::string line_of(const Step& step) const;
  std::vector<std::string> machines() const;  // that a step may name from the start on, "host" and the like included
  // Steps that name a machine that is not there by then go; a step before them may have brought it.
  void drop_strangers();
  // The same with every sale a step of its own, so that it can be cut down; only the seed decides which.
  Scenario spelled_out() const;
};

// Which of these names nobody knows; empty: all are known.
std::string stranger_among(const Step& step, const std::vector<std::string>& known);

// One line of a script. Errors: refused, with what is wrong and how it should read.
Result<Step> parse_step(const Scenario& scenario, const std::string& line);

}  // namespace tillsync::sim
