// What can be done about a conflict, in words, with what comes of it; and a person's choice as the op that says so.
//
//   for (const Choice& c : choices_for(conflict, stock)) offer(c.name, c.words, c.preview);
//   Result<OpDraft> op = resolution(conflict, stock, {"zero", "ann", "the shelf is empty"});
#pragma once

#include <functional>
#include <string>
#include <tillsync/op.hpp>
#include <tillsync/result.hpp>
#include <vector>

#include "conflicts/record.hpp"

namespace tillsync {

struct Choice {
  std::string name;                 // what `tillsync conflicts resolve --choice` takes
  std::string words;                // "the shelf is empty: the stock becomes 0"
  std::string preview;              // "stock of cola: -1 now, 0 afterwards"
  std::vector<ConflictMove> moves;  // compensation: added to the stock of every tier
};

using StockNow = std::function<std::optional<std::int64_t>(const std::string& sku)>;  // thousandths

// The usual one first. None when it has closed by itself.
std::vector<Choice> choices_for(const Conflict& conflict, const StockNow& stock);

struct Word {
  std::string choice;  // empty: the usual one
  std::string by, reason;
  std::vector<ConflictMove> moves = {};  // of the choice "edit"
};
// Errors: invalid (no name, no reason, no such choice), refused (it is settled, or has closed by itself).
Result<OpDraft> resolution(const Conflict& conflict, const StockNow& stock, const Word& word);

// What a resolution op says, read back.
struct Resolution {
  std::string conflict, choice, by, reason;
  std::string revises;  // the place of the settlement that its author had seen
  std::vector<ConflictMove> moves;
  template <class A>
  void fields(A& a) {
    a(conflict, choice, by, reason, revises, moves);
  }
};
std::optional<Resolution> read_resolution(const Document& document, const std::string& cashier);

// Whether it may still take effect. Errors: refused, saying who settled it otherwise, and when.
Result<void> check(const Resolution& resolution, const Conflict& conflict);

std::string words(const StockPlace& place);  // "till-1/42/7": till, history, number

}  // namespace tillsync
