// Does the steps of a scenario to a fleet. A step that does not apply (crash what is down) does nothing and says so in
// the log.
#pragma once

#include "sim/rules/rules.hpp"
#include "sim/scenario/scenario.hpp"
#include "sim/world/forger.hpp"

namespace tillsync::sim {

class Player {
 public:
  Player(const Scenario& scenario, Fleet& fleet, Rules& rules) : scenario_(scenario), fleet_(fleet), rules_(rules) {}

  void carry_out(const Step& written);
  void heal();  // everything works again
  const std::vector<std::string>& log() const { return log_; }

 private:
  bool carry_out_one(const Step& step, const std::string& who);  // false: it does not apply
  void undo(const Step& step);
  bool record(const Step& step, SimTill& till);
  void change_line(const Step& step, bool back);
  bool machine(Verb verb, const Step& step, SimTill& till);
  bool restore_cloud();
  bool go_back_in_time(const Step& step, SimTill& till);
  void set_price(const Step& step, bool deleted);
  bool settle(SimTill& till, std::size_t n);
  void expect(const Step& step, const std::string& line);
  std::vector<std::string> resolve(const std::vector<std::string>& names, const std::vector<std::string>& others) const;
  std::int64_t sum(const Step& step, const std::function<std::int64_t(SimTill&)>& of);
  void cut(const Step& step, bool both_ways);
  void mend(const Step& step);
  bool all_alive() const;

  const Scenario& scenario_;
  Fleet& fleet_;
  Rules& rules_;
  std::vector<std::string> log_;
  std::map<std::string, SimTill::Backup> backups_;
  std::vector<std::unique_ptr<Forger>> forgers_;  // those that have gone, too: the network still names them
  std::uint64_t sold_ = 0;
  std::size_t asked_ = 0;  // sales whose way to the cloud is being waited for
};

}  // namespace tillsync::sim
