// What happens to disks: they fill up, rot, are copied, put back and cloned. Whatever lies on a disk alone that goes
// back in time is gone, and no engine can bring it back; so all disks must be there to be asked what they hold.
#include "sim/scenario/verbs/verb_table.hpp"

namespace tillsync::sim {

namespace {

// Done to a till's disk while the till is down for it; it starts again afterwards.
class WhileDown : public VerbAtEach {
 protected:
  using VerbAtEach::VerbAtEach;
  virtual void to_disk(Stage& stage, const Step& step, SimTill& till) const = 0;
  virtual bool forgets() const = 0;  // what lay on this disk alone is lost
  virtual bool is_ready(Stage&, const SimTill&) const { return true; }

 private:
  bool at(Stage& stage, const Step& step, SimTill& till) const final {
    if (!stage.all_alive() || !is_ready(stage, till)) return false;
    if (forgets()) stage.misfortunes().till_went_back(stage.fleet().only_on(till));
    till.crash(false);
    to_disk(stage, step, till);
    till.start();
    return true;
  }
};

class Backup final : public WhileDown {
 public:
  Backup() : WhileDown("backup", {{"WHO", "the till, or the cloud, is copied, as at night"}}) {}

 private:
  bool forgets() const override { return false; }
  void to_disk(Stage& stage, const Step&, SimTill& till) const override { stage.keep(till, till.backup()); }
  bool at_cloud(Stage& stage, const Step&) const override {
    SimCloud& cloud = stage.fleet().cloud();
    if (!cloud.alive()) return false;
    cloud.backup();
    return true;
  }
};

class Restore final : public WhileDown {
 public:
  Restore() : WhileDown("restore", {{"WHO", "the till, or the cloud, goes back to its backup"}}) {}

 private:
  bool is_ready(Stage& stage, const SimTill& till) const override { return stage.backup_of(till) != nullptr; }
  bool forgets() const override { return true; }
  void to_disk(Stage& stage, const Step&, SimTill& till) const override { till.restore(*stage.backup_of(till)); }
  // What the cloud alone has, of tills that lost it since, is gone then.
  bool at_cloud(Stage& stage, const Step&) const override {
    SimCloud& cloud = stage.fleet().cloud();
    if (!cloud.has_backup() || !stage.all_alive()) return false;
    const auto gone = stage.fleet().only_in_cloud();
    cloud.restore();
    stage.rules().cloud_went_back(gone);
    return true;
  }
};

class Rot final : public WhileDown {
 public:
  Rot()
      : WhileDown("rot", {{"NUMBER WHO", "one bit of the journal flips, at that permille of it; the till restarts"}}) {}

 private:
  bool forgets() const override { return true; }
  void to_disk(Stage&, const Step& step, SimTill& till) const override {
    for (const auto& [path, size] : till.disk().used())
      till.disk().rot(path, size * static_cast<std::uint64_t>(step.number) / 1000);
  }
};

class Clone final : public WhileDown {
 public:
  Clone() : WhileDown("clone", {{"WHO as NAME", "a copy of its disk, its key included, starts in another machine"}}) {}
  std::string introduces(const Step& step) const override { return step.word; }

 private:
  bool forgets() const override { return false; }
  void to_disk(Stage& stage, const Step& step, SimTill& till) const override {
    stage.misfortunes().till_was_cloned();
    stage.fleet().clone(till, step.word).start();
  }
};

}  // namespace

VerbList verbs_of_disks() {
  return verbs(SimpleVerb(
                   "disk-full", "WHO", "there is no space left",
                   [](Stage&, const Step&, SimTill& till) { return till.disk().set_full(true), true; },
                   [](Stage&, SimTill& till) { till.disk().set_full(false); }),
               SimpleVerb("disk-free", "WHO", "there is space again",
                          [](Stage&, const Step&, SimTill& till) { return till.disk().set_full(false), true; }),
               Rot(), Backup(), Restore(), Clone());
}

}  // namespace tillsync::sim
