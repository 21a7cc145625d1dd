#include "conflicts/explain.hpp"

#include "storage/model/row_edit.hpp"

namespace tillsync {

namespace {

// How it is noticed, by kind.
std::string what_it_is(const std::string& kind) {
  if (kind == "below_zero") return "in the order in which things happened, more had gone than there was";
  if (kind == "duplicate_key") return "one key named two ops of different content; the first to arrive counts";
  if (kind == "forked_history") return "a till continued from an older state of itself";
  if (kind == "two_grants") return "two signed votes of one till, in one election, for two hosts";
  if (kind == "refund_above_sale") return "the refunds that name this sale give back more than it had";
  if (kind == "unknown_sale") return "a refund names a sale that has not come";
  if (kind == "count_with_sales") return "a count, and sales elsewhere within two seconds of it";
  if (kind == "stale_price") return "the price on the receipt is one that the cloud had replaced before";
  if (kind == "clock_suspect") return "a till's stamps can't be right";
  if (kind == "edit_edit") return "two people changed one field, each without having seen what the other did";
  if (kind == "edit_delete") return "one changed a row that another deleted";
  if (kind == "two_resolutions") return "a conflict was settled twice, at two places, differently";
  if (kind == "dead_letter") return "the op breaks a rule of the cloud; it counts nowhere, and nothing behind it waits";
  return "of a kind that this release does not know";
}

}  // namespace

std::vector<std::string> explain(const Conflict& c) {
  std::vector<std::string> out = {c.summary, "Found because: " + what_it_is(c.kind) + "."};
  if (c.state == ConflictState::suspected)
    out.push_back(
        "Suspected: an op that is still under way at some till may explain it. It is confirmed when every till has "
        "said "
        "that it has nothing earlier to send.");
  if (!c.rule.empty()) out.push_back("The rule: " + c.rule + ".");
  for (const ConflictSide& side : c.sides) {
    if (!side.was.empty())
      out.push_back((side.place.till.empty() ? "headquarters" : side.place.till.text) + " had seen " +
                    value_words(side.was) + " when it said " + side.what + ".");
  }
  if (c.settlement) out.push_back("Settled by " + c.settlement->by + ", who chose '" + c.settlement->choice + "'.");
  if (c.state == ConflictState::open) out.push_back("It waits for somebody's word.");
  return out;
}

}  // namespace tillsync
