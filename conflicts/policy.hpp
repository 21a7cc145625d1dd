// What a shop has decided beforehand: how edits that meet are merged, which anomalies people are asked about, and
// whether a till may sell what it believes is gone. Read from TOML; every rule knows the line that it comes from, so
// that `tillsync conflicts explain` can say why.
//
//   [row.product]
//   price = "ask"              # each change of a price waits for somebody's word
//   [anomaly]
//   below_zero = "backorder"
//   [limit]
//   units_per_line = 500       # more is a typing error: a dead letter
//   [sell.drinks]              # products whose field "group" is "drinks"
//   out_of_stock = "block"
#pragma once

#include <map>
#include <string>
#include <tillsync/availability.hpp>
#include <tillsync/result.hpp>

namespace tillsync {

enum class FieldRule : std::uint8_t {
  merge,              // a field that only one side changed is taken; one that both did is a conflict
  newest_if_current,  // taken when its author had seen the row as it is; else a conflict
  sum,                // a number: what was added to it is added
  max,                // a number: the larger
  ask,                // always a conflict
};
enum class AnomalyRule : std::uint8_t {
  log,        // noted, and closed at once
  backorder,  // closed at once as owed to the customer
  ask,
};

template <class Rule>
struct Decided {
  Rule rule;
  std::string why;  // "row.product.price = \"ask\" (policies.toml, line 9)"
};

class Policies {
 public:
  Policies();  // what a shop would choose
  // The defaults, changed by a file. Errors: invalid, naming the line.
  static Result<Policies> parse(const std::string& text, const std::string& name);

  Decided<FieldRule> field(const std::string& kind, const std::string& field) const;
  Decided<AnomalyRule> anomaly(const std::string& kind) const;
  Decided<SellRule> out_of_stock(const std::string& group) const;
  Decided<SellRule> unknown_stock(const std::string& group) const;
  Decided<std::int64_t> units_per_line() const { return units_per_line_; }

 private:
  friend class PolicyFile;
  std::map<std::string, Decided<FieldRule>> fields_;  // "product.price", "product.*", "*"
  std::map<std::string, Decided<AnomalyRule>> anomalies_;
  Decided<std::int64_t> units_per_line_{100'000, "more than 100000 units, unless a policy says otherwise"};
  std::map<std::string, Decided<SellRule>> out_of_stock_, unknown_stock_;  // by group; "*"
};

const char* name_of(FieldRule rule);
const char* name_of(AnomalyRule rule);
const char* name_of(SellRule rule);

}  // namespace tillsync
