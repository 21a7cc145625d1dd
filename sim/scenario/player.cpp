#include "sim/scenario/player.hpp"

#include <algorithm>

#include "sim/scenario/verbs/verb.hpp"

namespace tillsync::sim {

void Player::carry_out(const Step& written) {
  Step step = written;  // with the names that "host", "all" and "rest" mean at this moment
  step.who = resolve(written.who, written.whom);
  step.whom = resolve(written.whom, written.who);
  const Played played = step.verb->play(stage_, step);
  for (const std::string& seen : played.instead)
    rules_.breaks("expected: " + scenario_.line_of(written) + "; it is " + seen);
  if (step.verb->is_noted())
    log_.push_back(scenario_.line_of(written) + (played.possible ? "" : "  (not possible just now)"));
  if (played.possible && step.lasting)
    fleet_.world().after(*step.lasting, [this, step] { step.verb->undo(stage_, step); });
}

void Player::heal() {
  log_.push_back("everything is healed");
  stage_.forgers_go();
  fleet_.network().forget_lines();
  Line& line = fleet_.network().line();
  line.resets_per_million = 0, line.loss = 0, line.reorder = 0, line.bits_per_second = 0;
  fleet_.network().mend_all();
  if (!fleet_.cloud().alive()) fleet_.cloud().start();
  for (const auto& till : fleet_.tills()) {
    till->disk().set_full(false);
    till->clock().offset_ms = 0;
    till->resume();
    if (!till->alive()) till->start();
  }
}

// "host", "rest" (whoever is not in `others`) and "all" (tills) become names.
std::vector<std::string> Player::resolve(const std::vector<std::string>& names,
                                         const std::vector<std::string>& others) const {
  std::vector<std::string> out;
  for (const std::string& name : names) {
    if (name == "host") {
      if (const SimTill* host = fleet_.host()) out.push_back(host->label());
    } else if (name == "all" || name == "rest") {
      const auto taken = name == "rest" ? resolve(others, {}) : std::vector<std::string>{};
      for (const auto& till : fleet_.tills()) {
        if (std::find(taken.begin(), taken.end(), till->label()) == taken.end()) out.push_back(till->label());
      }
      if (name == "rest" && std::find(taken.begin(), taken.end(), "cloud") == taken.end()) out.emplace_back("cloud");
    } else {
      out.push_back(name);
    }
  }
  return out;
}

}  // namespace tillsync::sim
