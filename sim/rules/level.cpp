#include <algorithm>

#include "sim/rules/rule_table.hpp"

namespace tillsync::sim {

namespace {

class LevelRule final : public Rule {
 public:
  using Rule::Rule;

  void on_level(const SimTill& till, const std::string& key, Level level) override {
    if (level == Level::own_disk) return;
    const bool in_cloud = evidence_.shop_of(till).in_effect(key) || misfortunes().was_in_cloud(key);
    const bool copied = level != Level::cloud && (misfortunes().till_forgot() || on_another_disk(till, key));
    constexpr const char* kNames[] = {"on its disk", "on two disks", "at the host", "in the cloud"};
    if (!in_cloud && !copied)
      breaks("level: " + till.label() + " was told that " + key + " is " + kNames[static_cast<int>(level)]);
  }

 private:
  bool on_another_disk(const SimTill& till, const std::string& key) {
    const auto handed = std::ranges::find(till.receipts(), key, &HandedOut::key);
    if (handed == till.receipts().end()) return true;  // its receipt was not handed out: nobody relies on it
    const ChainId chain{till.who().till, handed->receipt.incarnation};
    for (const auto& other : fleet().tills()) {
      if (other.get() == &till) continue;
      if (!other->alive()) return true;  // it may lie on one that is down
      bool there = false;
      other->store().view().relay_ops(chain, handed->receipt.seq, [&](Seq, ByteView) { return there = true, false; });
      other->store().view().divergent([&](const ChainId& of, const ChainPoint& end) {
        there = there || (of == chain && end.seq >= handed->receipt.seq);
      });
      if (there) return true;
    }
    return false;
  }
};

}  // namespace

const RuleKind rules::level{
    "level", "A till says \"in the cloud\", \"at the host\" or \"on two disks\" only of what is there.",
    "On two disks and at the host: not once a till went back in time or was cloned, since it has lost the copies that "
    "it held for others. In the cloud: what was there before the cloud went back still counts.",
    make_rule<LevelRule>};

}  // namespace tillsync::sim
