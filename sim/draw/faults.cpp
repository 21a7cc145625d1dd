#include "sim/draw/faults.hpp"

#include <algorithm>
#include <utility>

namespace tillsync::sim {

const std::vector<Faults::Kind>& Faults::all() {
  static const std::vector<Kind> all = {
      {"crash", &Faults::crash},
      {"power cut", &Faults::power_cut},
      {"cut", &Faults::cut},
      {"one-way cut", &Faults::cut_one_way},
      {"mend", &Faults::mend},
      {"cloud crash", &Faults::cloud_crash},
      {"full disk", &Faults::disk_full},
      {"backup", &Faults::backup},
      {"clock", &Faults::clock},
      {"restart", &Faults::restart},
      {"blackout", &Faults::blackout},
      {"suspend", &Faults::suspend},
      {"worse line", &Faults::worse_line},
      {"rot", &Faults::rot},
      {"clone", &Faults::clone},
      {"forge", &Faults::forge},
      {"newer", &Faults::newer},
      {"hand-over", &Faults::hand_over},
      {"dying line", &Faults::dying_line},
      {"set", &Faults::set},
      {"fitness", &Faults::fitness},
      {"late word", &Faults::late_word},
  };
  return all;
}

void Faults::choose_strengths() {
  for (int& strength : strengths_) strength = dice_.below(2) == 0 ? 0 : static_cast<int>(1 + dice_.below(10));
  for (const char* rare : {"clone", "forge", "rot"}) {  // after these many other rules can't be asked
    const auto kind = std::ranges::find(all(), rare, &Kind::name);
    if (dice_.below(4) != 0) strengths_[static_cast<std::size_t>(kind - all().begin())] = 0;
  }
}

bool Faults::is_on(const std::string& name) const {
  return strengths_[static_cast<std::size_t>(std::ranges::find(all(), name, &Kind::name) - all().begin())] > 0;
}

void Faults::strike_some() {
  for (std::size_t i = 0; i < all().size(); ++i) {
    if (static_cast<int>(dice_.below(100)) < strengths_[i] * 2) (this->*all()[i].strike)();
  }
}

void Faults::crash() { script_.add("crash").who = {any()}; }

void Faults::power_cut() { script_.add("power-cut").who = {any()}; }

void Faults::cut() {
  Step& step = script_.add("cut");
  step.who = {any_machine()}, step.whom = {"rest"};
}

void Faults::cut_one_way() {
  Step& step = script_.add("cut-one-way");
  step.who = {any_machine()}, step.whom = {any_machine()};
}

void Faults::mend() {
  Step& step = script_.add("mend");
  step.who = step.whom = {"all", "cloud"};
}

void Faults::cloud_crash() {
  Step& step = script_.add("crash");
  step.who = {"cloud"}, step.lasting = a_while(20'000);
}

void Faults::disk_full() { script_.add(dice_.below(2) == 0 ? "disk-full" : "disk-free").who = {any()}; }

void Faults::backup() {
  const std::string till = any();
  const bool first = backed_up_.insert(till).second;
  script_.add(first ? "backup" : "restore").who = {till};
  if (!first) backed_up_.erase(till);
}

void Faults::clock() {
  Step& step = script_.add("clock");
  step.who = {any()}, step.number = up_to(4000) - 2000;
}

void Faults::restart() { script_.add("restart").who = {any()}; }

// The mains fail; one till may have a battery, the access point rarely has.
void Faults::blackout() {
  const std::string battery = any();
  if (dice_.below(2) == 0) {
    Step& alone = script_.add("cut");
    alone.who = {battery}, alone.whom = {"rest"}, alone.lasting = a_while(10'000);
  }
  Step& step = script_.add("power-cut");
  for (int t = 1; t <= script_.tills(); ++t) {
    if (Script::till(t) != battery || script_.tills() == 1) step.who.push_back(Script::till(t));
  }
  step.lasting = a_while(1000);
}

void Faults::suspend() {
  Step& step = script_.add("suspend");
  step.who = {any()}, step.lasting = a_while(15'000);
}

void Faults::worse_line() {
  constexpr const char* kinds[] = {"delay", "delay", "loss", "reorder", "bandwidth"};
  const std::string kind = kinds[dice_.below(5)];
  Step& step = script_.add(kind.c_str());
  step.who = {any_machine()}, step.whom = {"rest"}, step.lasting = a_while(20'000);
  step.number = 10 + up_to(400);                               // ms, kbit/s
  if (kind == "loss" || kind == "reorder") step.number *= 50;  // up to 20 %
}

void Faults::rot() {
  Step& step = script_.add("rot");
  step.who = {any()}, step.number = up_to(1000);
}

void Faults::clone() {
  if (std::exchange(cloned_, true)) return;
  Step& step = script_.add("clone");
  step.who = {any()}, step.word = "clone-1";
}

void Faults::forge() {
  Step& step = script_.add("forge");
  step.who = {any()}, step.lasting = a_while(10'000);
}

void Faults::newer() { script_.add("newer").who = {any()}; }

void Faults::hand_over() { script_.add("hand-over").who = {any()}; }

// The host's line gets slow, the host stands still for a moment, and then its line is gone.
void Faults::dying_line() {
  Step& slow = script_.add("delay");
  slow.who = {"host"}, slow.whom = {"rest"}, slow.lasting = seconds(6);
  slow.number = 100 + up_to(300);
  const Duration still = script_.now() + milliseconds(1000 + dice_.below(3000)), awake = a_while(1200);
  Step& lid = script_.add("suspend", still);
  lid.who = {"host"}, lid.lasting = awake;
  Step& dead = script_.add("cut", still + awake + milliseconds(5));
  dead.who = {"host"}, dead.whom = {"rest"}, dead.lasting = seconds(5);
}

void Faults::set() {
  Step& step = script_.add("set");
  step.who = {dice_.below(2) == 0 ? "host" : any()}, step.word = "opening";
  step.number = up_to(100);
}

void Faults::fitness() {
  Step& step = script_.add("fitness");
  step.who = {any()}, step.number = up_to(4);
}

// What a host told the cloud arrives when another hosts already.
void Faults::late_word() {
  Step& slow = script_.add("delay");
  slow.who = {"host"}, slow.whom = {"cloud"}, slow.lasting = milliseconds(500);
  slow.number = 3000 + up_to(4000);
  Step& word = script_.add("set", script_.now() + milliseconds(1));
  word.who = {"host"}, word.word = "opening";
  Step& alone = script_.add("cut", script_.now() + milliseconds(2));
  alone.who = {"host"}, alone.whom = {"all"}, alone.lasting = seconds(8);
  Step& next = script_.add("set", script_.now() + milliseconds(1500 + dice_.below(3000)));
  next.who = {"all"}, next.word = "opening", next.number = 1;
}

}  // namespace tillsync::sim
