// What happens at a counter: ops that tills record.
#include "sim/scenario/verbs/verb_table.hpp"

namespace tillsync::sim {

namespace {

constexpr auto kNewKind = static_cast<OpKind>(99);

class Trade final : public VerbAtEach {
 public:
  Trade(std::string name, OpKind kind, std::vector<Form> forms)
      : VerbAtEach(std::move(name), std::move(forms)), kind_(kind) {}

  bool is_noted() const override { return false; }  // there are too many

 private:
  bool at(Stage& stage, const Step& step, SimTill& till) const override {
    if (!till.responds()) return false;
    OpDraft draft{.kind = kind_, .key = step.key, .cashier = "cashier-" + till.label(), .document = {}};
    if (step.key.empty()) draft.key = stage.next_key() + (step.who.size() > 1 ? "/" + till.label() : "");
    if (kind_ == kNewKind) {
      draft.custom_body = "what a later release says of " + step.word;
    } else {
      draft.document.lines.push_back({step.word, Quantity{step.number == 0 ? 1000 : step.number}, 350, {}});
    }
    const std::string key = draft.key;
    till.record(draft);
    stage.follow(till, key);
    return true;
  }

  OpKind kind_;
};

}  // namespace

VerbList verbs_of_trade() {
  return verbs(
      Trade("sell", OpKind::sale,
            {{"UNITS WORD at WHO", "each of them sells so many units of a product"},
             {"UNITS WORD at WHO as KEY", "the same, under an idempotency key of your own"}}),
      Trade("refund", OpKind::refund, {{"UNITS WORD at WHO", "goods come back"}}),
      Trade("restock", OpKind::restock, {{"UNITS WORD at WHO", "goods arrive"}}),
      Trade("count", OpKind::count, {{"WORD as UNITS at WHO", "somebody counts the shelf: the quantity is set"}}),
      Trade("record-unknown", kNewKind, {{"WORD at WHO", "an op of a kind that only a later release knows"}}));
}

}  // namespace tillsync::sim
