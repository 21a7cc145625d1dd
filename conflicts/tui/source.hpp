// Where the terminal gets its conflicts from, and where it takes people's words: a till, a cloud, here or elsewhere.
#pragma once

#include <chrono>
#include <string>
#include <tillsync/result.hpp>
#include <vector>

#include "conflicts/choices.hpp"

namespace tillsync::tui {

struct Item {
  Conflict conflict;
  std::vector<Choice> choices;  // the usual one first
};

class Source {
 public:
  virtual ~Source() = default;
  virtual std::string name() const = 0;                                           // "till-1 of main-street"
  virtual std::chrono::seconds every() const { return std::chrono::seconds(1); }  // to be asked
  virtual Result<std::vector<Item>> fetch() = 0;  // may take a while, and runs beside the screen
  virtual Result<void> settle(const Conflict& conflict, const Word& word) = 0;
};

}  // namespace tillsync::tui
