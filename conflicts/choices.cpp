#include "conflicts/choices.hpp"

#include <algorithm>
#include <map>

#include "conflicts/kinds.hpp"
#include "storage/base/thousandths.hpp"

namespace tillsync {

namespace {

constexpr char kReopen[] = "reopen", kEdit[] = "edit";

std::vector<ConflictMove> turned(std::vector<ConflictMove> moves) {
  for (ConflictMove& move : moves) move.milli = -move.milli;
  return moves;
}

std::vector<ConflictMove> both(std::vector<ConflictMove> a, const std::vector<ConflictMove>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::string effect_of(const std::vector<ConflictMove>& moves, const StockNow& stock) {
  std::map<std::string, std::int64_t> by_sku;
  for (const ConflictMove& move : moves) by_sku[move.sku] += move.milli;
  std::string out;
  for (const auto& [sku, milli] : by_sku) {
    const std::int64_t now = stock(sku).value_or(0);
    if (milli != 0)
      out += (out.empty() ? "" : "; ") + sku + ": " + thousandths(now) + " now, " + thousandths(now + milli) +
             " afterwards";
  }
  return out.empty() ? "no stock changes" : "stock of " + out;
}

std::vector<Choice> for_below_zero(const Conflict& c, const StockNow& stock) {
  const std::int64_t now = stock(c.subject).value_or(0);
  const Choice leave{"leave", "it is right by now: a count or a delivery has put it straight", "", {}};
  const Choice owed{"backorder", "the customer waits for it: the next delivery settles it", "", {}};
  if (now >= 0) return {leave, owed};
  return {{"zero", "the shelf is empty: the stock becomes 0", "", {{c.subject, -now, 0}}}, owed, leave};
}

std::vector<Choice> for_two_ops(const Conflict& c) {
  std::vector<Choice> out = {{"drop", "it is a mistake, or the same one twice: the second counts for nothing", "", {}}};
  if (c.sides.size() > 1 && !c.sides[1].moves.empty())
    out.push_back({"apply", "both happened: the second counts as well", "", c.sides[1].moves});
  return out;
}

std::vector<Choice> for_refund(const Conflict& c) {
  const std::vector<ConflictMove> back = c.sides.empty() ? std::vector<ConflictMove>{} : turned(c.sides[0].moves);
  std::vector<Choice> out = {{"accept", "the goods came back and the money was paid: it stays as it is", "", {}}};
  if (!back.empty()) out.push_back({"reverse", "nothing came back: take it out of the stock again", "", back});
  return out;
}

std::vector<Choice> for_count(const Conflict& c) {
  std::vector<ConflictMove> sold;
  for (const ConflictSide& side : c.sides) sold.insert(sold.end(), side.moves.begin(), side.moves.end());
  return {{"keep", "the count stands: whoever counted saw those sales, or they came after it", "", {}},
          {"include", "the counted goods were still on the shelf: those sales take from the count", "", sold}};
}

std::vector<Choice> for_field(const Conflict& c) {
  std::vector<Choice> out;
  for (std::size_t i = c.sides.size(); i-- > 0;) {
    const ConflictSide& side = c.sides[i];
    const std::string whose = side.place.till.empty() ? "headquarters" : side.place.till.text;
    const std::string words =
        c.row && c.row->field.empty() ? side.what : field_words(c.row.value_or(RowField{}), side.value);
    if (i > 0) {
      out.push_back({"take-" + std::to_string(i + 1),
                     "take that of " + whose + ": " + words,
                     c.subject + " becomes " + words,
                     {}});
    } else {
      out.push_back({"leave", "leave what is there, of " + whose + ": " + words, c.subject + " stays as it is", {}});
    }
  }
  return out;
}

std::vector<Choice> for_two_words(const Conflict& c) {
  if (c.sides.size() < 2) return {};
  return {{"first", "the first one stands: " + c.sides[0].what, "", {}},
          {"second", "the other one counts instead: " + c.sides[1].what, "",
           both(turned(c.sides[0].moves), c.sides[1].moves)}};
}

// "It happened, with other quantities" is a choice, too: with quantities, which no list can offer.
std::vector<Choice> for_dead_letter() {
  return {{"discard", "it never happened, or was recorded anew: it counts for nothing", "", {}},
          {"replay", "the rule that refused it has been changed: take it as it is", "", {}}};
}

std::vector<Choice> open_choices(const Conflict& c, const StockNow& stock) {
  if (c.kind == "below_zero") return for_below_zero(c, stock);
  if (c.kind == "duplicate_key") return for_two_ops(c);
  if (c.kind == "refund_above_sale" || c.kind == "unknown_sale") return for_refund(c);
  if (c.kind == "count_with_sales") return for_count(c);
  if (c.kind == "edit_edit" || c.kind == "edit_delete") return for_field(c);
  if (c.kind == "two_resolutions") return for_two_words(c);
  if (c.kind == "dead_letter") return for_dead_letter();
  return {{"noted", "somebody has seen it and done what was needed", "", {}}};
}

std::string how_settled(const Conflict& c) {
  if (!c.settlement) return "it has closed by itself";
  const ConflictStep* last = c.history.empty() ? nullptr : &c.history.back();
  return c.settlement->by + " has settled it already (" + c.settlement->choice +
         (last != nullptr && !last->reason.empty() ? ": " + last->reason : "") + ")";
}

bool known_choice(const Conflict& c, const std::string& choice) {
  const auto all = choices_for(c, [](const std::string&) { return std::nullopt; });
  // What a stock of yesterday made sensible may be said today.
  const bool below = c.kind == "below_zero" && c.waits() && (choice == "zero" || choice == "leave");
  return below || (choice == kEdit && c.kind == "dead_letter") || std::ranges::count(all, choice, &Choice::name) == 1;
}

}  // namespace

std::string words(const StockPlace& place) {
  return place.till.text + "/" + std::to_string(place.incarnation.value) + "/" + std::to_string(place.seq.value);
}

std::vector<Choice> choices_for(const Conflict& c, const StockNow& stock) {
  std::vector<Choice> out;
  if (c.waits()) out = open_choices(c, stock);
  if (c.state == ConflictState::resolved && c.settlement)
    out = {{kReopen, "undo: it waits again, and what it changed is taken back", "", turned(c.settlement->moves)}};
  for (Choice& choice : out) {
    if (choice.preview.empty()) choice.preview = effect_of(choice.moves, stock);
  }
  return out;
}

Result<OpDraft> resolution(const Conflict& c, const StockNow& stock, const Word& word) {
  if (word.by.empty()) return fail(ErrorKind::invalid, "who settles it? Give your name");
  if (word.reason.find_first_not_of(" \t") == std::string::npos)
    return fail(ErrorKind::invalid, "why? Give a reason in a few words: whoever asks next month will read it");
  auto choices = choices_for(c, stock);
  if (c.kind == "dead_letter" && word.choice == kEdit && c.waits()) choices.push_back({kEdit, "", "", word.moves});
  const auto it = word.choice.empty() ? choices.begin() : std::ranges::find(choices, word.choice, &Choice::name);
  if (choices.empty() || (!c.waits() && word.choice != kReopen))
    return fail(ErrorKind::refused, how_settled(c) + ": nothing was changed");
  if (it == choices.end()) {
    std::string names;
    for (const Choice& choice : choices) names += (names.empty() ? "" : ", ") + choice.name;
    return fail(ErrorKind::invalid, "'" + word.choice + "' is no choice here: take one of " + names);
  }
  OpDraft draft;
  draft.kind = OpKind::resolution;
  draft.cashier = word.by;
  draft.document.reference = c.id;
  draft.document.note = word.reason;
  draft.document.fields["choice"] = it->name;
  if (c.settlement) draft.document.fields["revises"] = words(c.settlement->op);
  if (!c.currency.empty()) draft.document.currency = c.currency;
  for (const ConflictMove& move : it->moves)
    draft.document.lines.push_back({move.sku, {move.milli}, move.unit_price, {}});
  const std::string said = c.id + '\n' + std::to_string(c.history.size()) + '\n' + word.by + '\n' + it->name;
  draft.key = "settle/" + blake2b(said).hex().substr(0, 32);
  return draft;
}

std::optional<Resolution> read_resolution(const Document& d, const std::string& cashier) {
  const auto field = [&](const char* name) {
    const auto it = d.fields.find(name);
    return it == d.fields.end() ? std::string() : it->second;
  };
  Resolution out{d.reference, field("choice"), cashier, d.note, field("revises"), {}};
  for (const Line& line : d.lines) out.moves.push_back({line.sku, line.quantity.milli, line.unit_price});
  if (out.conflict.empty() || out.choice.empty() || out.by.empty() || out.reason.empty()) return std::nullopt;
  return out;
}

Result<void> check(const Resolution& r, const Conflict& c) {
  const bool seen = r.revises == (c.settlement ? words(c.settlement->op) : std::string());
  const bool in_order = r.choice == kReopen ? c.state == ConflictState::resolved : c.waits();
  if (!seen || !in_order) return fail(ErrorKind::refused, how_settled(c) + ": nothing was changed");
  if (!known_choice(c, r.choice))
    return fail(ErrorKind::invalid, "'" + r.choice + "' is no choice for a conflict of the kind " + c.kind);
  return {};
}

}  // namespace tillsync
