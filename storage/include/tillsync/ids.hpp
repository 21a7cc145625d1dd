// Names and numbers that must not be mixed up, each a type of its own.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <tillsync/result.hpp>

namespace tillsync {

template <class Tag>
struct Number {
  std::uint64_t value{};
  auto operator<=>(const Number&) const = default;
  Number next() const { return Number{value + 1}; }
};

using Seq = Number<struct SeqTag>;                  // an op's number at its till's incarnation, from 1, gapless
using Incarnation = Number<struct IncarnationTag>;  // random id of one unbroken history of a till; 0 means none
using RowVersion = Number<struct RowVersionTag>;    // rises with each change in a feed
using Term = Number<struct TermTag>;                // an election's number

// A short name: 1 to 32 of a-z, 0-9 and '-'. Roster, logs and file names show it as it is.
template <class Tag>
struct Name {
  std::string text;
  auto operator<=>(const Name&) const = default;
  bool empty() const { return text.empty(); }

  // Example: auto till = TillId::parse("till-1");
  static Result<Name> parse(std::string text) {
    bool good = !text.empty() && text.size() <= 32;
    for (char c : text) good = good && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-');
    if (!good) {
      return fail(ErrorKind::invalid, "'" + text + "' is not a name: use 1 to 32 of a-z, 0-9 and '-'");
    }
    return Name{std::move(text)};
  }
};

using TillId = Name<struct TillTag>;      // one device, unique in its branch
using BranchId = Name<struct BranchTag>;  // one shop, unique in its tenant

// One unbroken history of one till: what a watermark or a hash chain belongs to.
struct ChainId {
  TillId till;
  Incarnation incarnation;
  auto operator<=>(const ChainId&) const = default;
};

}  // namespace tillsync
