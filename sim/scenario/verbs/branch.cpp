// What happens to a branch as a whole: who belongs to it, who hosts, and who pretends to belong to it.
#include "sim/scenario/verbs/verb_table.hpp"

namespace tillsync::sim {

namespace {

bool expel(Stage& stage, const Step&, SimTill& till) {
  if (!stage.fleet().is_member(till)) return false;
  stage.fleet().expel(till);
  return true;
}

class Forge final : public VerbAtEach {
 public:
  Forge()
      : VerbAtEach("forge", {{"WHO", "somebody with its key sends what he overhears, changed and unchanged"}},
                   Lasts::yes) {}
  void undo(Stage& stage, const Step&) const override { stage.forgers_go(); }

 private:
  bool at(Stage& stage, const Step&, SimTill& till) const override { return stage.send_forger(till), true; }
};

bool hand_over(Stage& stage, const Step&, SimTill& till) {
  SimTill* host = stage.fleet().host(stage.fleet().branch_of(till));
  if (host == nullptr || host == &till) return false;
  host->hand_over(till.who().till);
  return true;
}

bool set_fitness(Stage&, const Step& step, SimTill& till) {
  till.set_fitness(static_cast<std::uint32_t>(step.number));
  return true;
}

}  // namespace

VerbList verbs_of_the_branch() {
  return verbs(SimpleVerb("expel", "WHO", "a new roster leaves it out: stolen, or scrapped", expel), Forge(),
               SimpleVerb("hand-over", "to WHO", "the host hands the lease over", hand_over),
               SimpleVerb("fitness", "NUMBER of WHO", "how fit it is to host", set_fitness));
}

}  // namespace tillsync::sim
