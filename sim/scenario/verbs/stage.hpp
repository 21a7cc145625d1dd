// What the verbs of a script act on: a fleet, what the rules must know of it, and what is left behind for later steps
// (backups, forgers).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/rules/rules.hpp"
#include "sim/world/forger.hpp"

namespace tillsync::sim {

class Stage {
 public:
  Stage(Fleet& fleet, Rules& rules, const Line& usual_line) : fleet_(fleet), rules_(rules), usual_line_(usual_line) {}

  Fleet& fleet() { return fleet_; }
  Rules& rules() { return rules_; }
  Misfortunes& misfortunes() { return rules_.misfortunes(); }
  const Line& usual_line() const { return usual_line_; }

  std::string next_key() { return "op/" + std::to_string(++keys_); }
  // Every second sale or so is followed on its way: somebody waits for the level that it reaches.
  void follow(SimTill& till, const std::string& key);

  // All disks can be asked what lies on them.
  bool all_alive() const;
  void keep(const SimTill& till, SimTill::Backup backup) { backups_.insert_or_assign(till.label(), std::move(backup)); }
  const SimTill::Backup* backup_of(const SimTill& till) const;

  void send_forger(const SimTill& robbed);
  void forgers_go();

 private:
  Fleet& fleet_;
  Rules& rules_;
  const Line& usual_line_;
  std::map<std::string, SimTill::Backup> backups_;
  std::vector<std::unique_ptr<Forger>> forgers_;  // those that have gone, too: the network still names them
  std::uint64_t keys_ = 0;
  std::size_t followed_ = 0;  // at this moment
};

}  // namespace tillsync::sim
