// The faults that a seed may turn on, and what each writes into the script when it strikes. A new fault is a function
// and a line in the table: at its end, so that all others are drawn as before.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "sim/draw/script.hpp"

namespace tillsync::sim {

class Faults {
 public:
  Faults(Random& dice, Script& script) : dice_(dice), script_(script) {}

  struct Kind {
    std::string name;
    void (Faults::*strike)();
  };
  static const std::vector<Kind>& all();  // in the order in which they are drawn
  void choose_strengths();                // chance turns about half of them on
  bool is_on(const std::string& name) const;
  void strike_some();  // in one round: the stronger a fault is, the more often

 private:
  std::string any() { return script_.any(dice_); }
  std::string any_machine() { return dice_.below(4) == 0 ? "cloud" : any(); }
  Duration a_while(std::uint64_t up_to_ms) { return milliseconds(1 + dice_.below(up_to_ms)); }
  std::int64_t up_to(std::uint64_t limit) { return static_cast<std::int64_t>(dice_.below(limit)); }

  void crash();
  void power_cut();
  void cut();
  void cut_one_way();
  void mend();
  void cloud_crash();
  void disk_full();
  void backup();
  void clock();
  void restart();
  void blackout();
  void suspend();
  void worse_line();
  void rot();
  void clone();
  void forge();
  void newer();
  void hand_over();
  void dying_line();
  void set();
  void fitness();
  void late_word();

  Random& dice_;
  Script& script_;
  std::vector<int> strengths_ = std::vector<int>(all().size());
  std::set<std::string> backed_up_;
  bool cloned_ = false;
};

}  // namespace tillsync::sim
