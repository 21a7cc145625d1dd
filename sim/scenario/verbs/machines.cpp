// What happens to the machines: they stop, start and stand still; their clocks and their releases.
#include "sim/scenario/verbs/verb_table.hpp"

namespace tillsync::sim {

namespace {

// Back after it: whoever is down starts.
class Stop final : public VerbAtEach {
 public:
  Stop(std::string name, std::string meaning, bool power_cut)
      : VerbAtEach(std::move(name), {{"WHO", std::move(meaning)}}, Lasts::yes), power_cut_(power_cut) {}

 private:
  bool at(Stage&, const Step&, SimTill& till) const override {
    if (!till.alive()) return false;
    till.crash(power_cut_);
    return true;
  }
  bool at_cloud(Stage& stage, const Step&) const override {
    SimCloud& cloud = stage.fleet().cloud();
    if (!cloud.alive()) return false;
    cloud.crash();
    return true;
  }
  void undo_at(Stage&, SimTill& till) const override {
    if (!till.alive()) till.start();
  }
  void undo_at_cloud(Stage& stage) const override {
    SimCloud& cloud = stage.fleet().cloud();
    if (!cloud.alive()) cloud.start();
  }

  bool power_cut_;
};

class Start final : public VerbAtEach {
 public:
  Start() : VerbAtEach("start", {{"WHO", "one that is down starts"}}) {}

 private:
  bool at(Stage&, const Step&, SimTill& till) const override {
    if (till.alive()) return false;
    till.start();
    return true;
  }
  bool at_cloud(Stage& stage, const Step&) const override {
    SimCloud& cloud = stage.fleet().cloud();
    if (cloud.alive()) return false;
    cloud.start();
    return true;
  }
};

// A till that is down starts; the cloud must be up.
class Restart final : public VerbAtEach {
 public:
  Restart() : VerbAtEach("restart", {{"WHO", "crash and start at once"}}) {}

 private:
  bool at(Stage&, const Step&, SimTill& till) const override {
    if (till.alive()) till.crash(false);
    till.start();
    return true;
  }
  bool at_cloud(Stage& stage, const Step&) const override {
    SimCloud& cloud = stage.fleet().cloud();
    if (!cloud.alive()) return false;
    cloud.crash();
    cloud.start();
    return true;
  }
};

bool suspend(Stage&, const Step&, SimTill& till) {
  if (!till.responds()) return false;
  till.suspend();
  return true;
}

bool set_clock(Stage& stage, const Step& step, SimTill& till) {
  stage.misfortunes().clock_was_set();
  till.clock().offset_ms = step.number * 1000;
  return true;
}

}  // namespace

VerbList verbs_of_machines() {
  return verbs(
      Stop("crash", "the process dies", false),
      Stop("power-cut", "the machine loses power: what was not flushed may be gone or torn", true), Start(), Restart(),
      SimpleVerb("suspend", "WHO", "the process stands still, as a laptop with its lid closed", suspend,
                 [](Stage&, SimTill& till) { till.resume(); }),
      SimpleVerb("clock", "WHO NUMBER s", "the machine's clock is set to be off by so much", set_clock,
                 [](Stage&, SimTill& till) { till.clock().offset_ms = 0; }),
      SimpleVerb("drift", "WHO NUMBER ppm", "the machine's clock runs fast, or slow",
                 [](Stage&, const Step& step, SimTill& till) { return till.clock().drift_ppm = step.number, true; }),
      SimpleVerb("newer", "WHO", "it runs a later release",
                 [](Stage&, const Step&, SimTill& till) { return till.speak_newer(), true; }));
}

}  // namespace tillsync::sim
