#include "sim/rules/rule_table.hpp"
#include "storage/base/pack.hpp"

namespace tillsync::sim {

namespace {

class UnreadableRule final : public Rule {
 public:
  using Rule::Rule;

  void on_unreadable(const SimTill& till, ByteView message) override {
    breaks("unreadable: " + till.label() + " sent a malformed message of " + std::to_string(message.size()) + " bytes");
  }

  void on_effect(int, const Op& op, OpEffect effect, OpEffect) override {
    if (op.kind != OpKind::clock_correction || effect != OpEffect::applied || unpack<Correction>(op.body)) return;
    breaks("unreadable: the clock correction of " + op.chain.till.text);
  }
};

}  // namespace

const RuleKind rules::unreadable{"unreadable", "Whatever a till says or writes can be read by others.", "",
                                 make_rule<UnreadableRule>};

}  // namespace tillsync::sim
