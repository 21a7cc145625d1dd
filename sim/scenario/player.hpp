// Does the steps of a scenario to a fleet. A step that does not apply (crash what is down) does nothing and says so in
// the log.
#pragma once

#include "sim/scenario/scenario.hpp"
#include "sim/scenario/verbs/stage.hpp"

namespace tillsync::sim {

class Player {
 public:
  Player(const Scenario& scenario, Fleet& fleet, Rules& rules)
      : scenario_(scenario), fleet_(fleet), rules_(rules), stage_(fleet, rules, scenario.line) {}

  void carry_out(const Step& written);
  void heal();  // everything works again
  const std::vector<std::string>& log() const { return log_; }

 private:
  std::vector<std::string> resolve(const std::vector<std::string>& names, const std::vector<std::string>& others) const;

  const Scenario& scenario_;
  Fleet& fleet_;
  Rules& rules_;
  Stage stage_;
  std::vector<std::string> log_;
};

}  // namespace tillsync::sim
