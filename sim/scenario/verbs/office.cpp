// What headquarters and people in the office do: prices, edits, settings, and the settling of conflicts.
#include "sim/scenario/verbs/verb_table.hpp"
#include "storage/base/pack.hpp"

namespace tillsync::sim {

namespace {

// A row of headquarters: nobody's till has a part in it.
class Price final : public Verb {
 public:
  Price(std::string name, std::string slots, std::string meaning, bool deletes)
      : Verb(std::move(name), {{std::move(slots), std::move(meaning)}}), deletes_(deletes) {}

  Played play(Stage& stage, const Step& step) const override {
    SimCloud& cloud = stage.fleet().cloud();
    if (!cloud.alive()) return false;
    CloudRow row{{"tenant", "product"}, step.word, deletes_, {}};
    Packer fields(row.fields);
    fields.map(1);
    fields.text("price");
    fields.sint(step.number);
    cloud.put_row(stage.fleet().shop(), row);
    return true;
  }

 private:
  bool deletes_;
};

bool edit(Stage& stage, const Step& step, SimTill& till) {
  if (!till.responds()) return false;
  OpDraft draft = till.node().draft_edit("product", step.word, {{"price", pack(step.number)}}, false);
  draft.key = stage.next_key() + "/" + till.label();
  draft.cashier = "cashier-" + till.label();
  till.record(draft);
  return true;
}

bool settle(Stage&, const Step& step, SimTill& till) {
  if (!till.responds()) return false;
  const auto n = static_cast<std::size_t>(step.number);
  std::vector<Conflict> waiting = till.node().conflicts();
  std::erase_if(waiting, [](const Conflict& c) { return !c.waits(); });
  if (waiting.empty()) return false;
  const Conflict& about = waiting[n % waiting.size()];
  const StockNow stock = [&](const std::string& sku) { return till.node().stock(sku); };
  const auto choices = choices_for(about, stock);
  auto word = resolution(about, stock, {choices[n % choices.size()].name, "clerk-" + till.label(), "said so"});
  if (word) till.record(*word);
  return word.has_value();
}

bool set(Stage&, const Step& step, SimTill& till) {
  if (!till.responds()) return false;
  till.command(step.word, step.number);
  return true;
}

}  // namespace

VerbList verbs_of_the_office() {
  return verbs(
      Price("price", "WORD NUMBER", "headquarters sets a product's price, in cents", false),
      Price("drop-price", "WORD", "headquarters deletes a product", true),
      SimpleVerb("edit", "WORD to NUMBER at WHO", "somebody there changes a product's price, in cents", edit),
      SimpleVerb("settle", "NUMBER at WHO",
                 "somebody settles a conflict that waits there, the n-th from 0 on (of as many as there are), by the "
                 "n-th choice",
                 settle),
      SimpleVerb("set", "WORD to NUMBER at WHO", "changes a setting of the branch, which only an exclusive host may",
                 set));
}

}  // namespace tillsync::sim
