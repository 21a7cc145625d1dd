#include "conflicts/policy.hpp"

#include <toml++/toml.h>

#include <array>
#include <sstream>

namespace tillsync {

namespace {

constexpr std::array<const char*, 5> kFieldRules = {"merge", "newest-if-current", "sum", "max", "ask"};
constexpr std::array<const char*, 3> kAnomalyRules = {"log", "backorder", "ask"};
constexpr std::array<const char*, 3> kSellRules = {"allow", "warn", "block"};
constexpr std::array<const char*, 8> kAnomalies = {"below_zero",       "refund_above_sale", "unknown_sale",
                                                   "count_with_sales", "stale_price",       "clock_suspect",
                                                   "forked_history",   "duplicate_key"};

template <std::size_t N>
std::string list(const std::array<const char*, N>& names) {
  std::string out;
  for (std::size_t i = 0; i < N; ++i) out += (i == 0 ? "" : i + 1 == N ? " or " : ", ") + std::string(names[i]);
  return out;
}

template <class Rule>
const Decided<Rule>& look_up(const std::map<std::string, Decided<Rule>>& rules, std::initializer_list<std::string> by) {
  for (const std::string& name : by) {
    const auto it = rules.find(name);
    if (it != rules.end()) return it->second;
  }
  return rules.at("*");
}

}  // namespace

const char* name_of(FieldRule rule) { return kFieldRules[static_cast<std::size_t>(rule)]; }
const char* name_of(AnomalyRule rule) { return kAnomalyRules[static_cast<std::size_t>(rule)]; }
const char* name_of(SellRule rule) { return kSellRules[static_cast<std::size_t>(rule)]; }

Policies::Policies() {
  const auto preset = [](auto rule) {
    return Decided<decltype(rule)>{rule, std::string(name_of(rule)) + ", unless a policy says otherwise"};
  };
  fields_.emplace("*", preset(FieldRule::merge));
  anomalies_.emplace("*", preset(AnomalyRule::ask));
  for (const char* quiet : {"stale_price", "count_with_sales", "clock_suspect"})
    anomalies_.emplace(quiet, preset(AnomalyRule::log));
  out_of_stock_.emplace("*", preset(SellRule::warn));
  unknown_stock_.emplace("*", preset(SellRule::allow));
}

Decided<FieldRule> Policies::field(const std::string& kind, const std::string& field) const {
  return look_up(fields_, {kind + "." + field, kind + ".*"});
}

Decided<AnomalyRule> Policies::anomaly(const std::string& kind) const { return look_up(anomalies_, {kind}); }
Decided<SellRule> Policies::out_of_stock(const std::string& group) const { return look_up(out_of_stock_, {group}); }
Decided<SellRule> Policies::unknown_stock(const std::string& group) const { return look_up(unknown_stock_, {group}); }

// Reads one file; the first thing that is wrong is thrown as a sentence.
class PolicyFile {
 public:
  PolicyFile(std::string name, Policies& out) : name_(std::move(name)), out_(out) {}

  void read(const toml::table& file) {
    for (const auto& [key, node] : file) {
      const std::string part(key.str());
      if (part == "row") {
        for (const auto& [kind, rules] : table(node, "row")) read_row(std::string(kind.str()), rules);
      } else if (part == "anomaly") {
        read_anomalies(node);
      } else if (part == "sell") {
        for (const auto& [group, rules] : table(node, "sell")) read_sell(std::string(group.str()), rules);
      } else if (part == "limit") {
        read_limits(node);
      } else {
        wrong(node, "'" + part + "' is not known here: the parts are [row.KIND], [anomaly], [limit] and [sell.GROUP]");
      }
    }
  }

 private:
  [[noreturn]] void wrong(const toml::node& at, const std::string& what) const {
    throw name_ + ", line " + std::to_string(at.source().begin.line) + ": " + what;
  }
  const toml::table& table(const toml::node& node, const std::string& name) const {
    if (!node.is_table()) wrong(node, "[" + name + "] is a table");
    return *node.as_table();
  }
  template <class Rule, std::size_t N>
  Decided<Rule> rule(const toml::node& node, const std::string& path, const std::array<const char*, N>& names) const {
    const auto text = node.value<std::string>();
    for (std::size_t i = 0; i < N && text; ++i) {
      if (*text == names[i])
        return {static_cast<Rule>(i),
                path + " = \"" + *text + "\" (" + name_ + ", line " + std::to_string(node.source().begin.line) + ")"};
    }
    wrong(node, path + " is " + list(names));
  }

  void read_row(const std::string& kind, const toml::node& node) {
    const std::string place = "row." + kind;
    for (const auto& [key, value] : table(node, place)) {
      const std::string field(key.str());
      auto decided = rule<FieldRule>(value, place + "." + field, kFieldRules);
      std::string path = kind + "." + (field == "default" ? "*" : field);
      if (kind == "default") path = "*";
      if (kind == "default" && field != "default") wrong(value, "[row.default] has only 'default'");
      out_.fields_.insert_or_assign(path, std::move(decided));
    }
  }

  void read_anomalies(const toml::node& node) {
    for (const auto& [key, value] : table(node, "anomaly")) {
      const std::string kind(key.str());
      if (std::find(kAnomalies.begin(), kAnomalies.end(), kind) == kAnomalies.end())
        wrong(value, "'" + kind + "' is no anomaly: they are " + list(kAnomalies));
      out_.anomalies_.insert_or_assign(kind, rule<AnomalyRule>(value, "anomaly." + kind, kAnomalyRules));
    }
  }

  void read_limits(const toml::node& node) {
    for (const auto& [key, value] : table(node, "limit")) {
      if (key.str() != "units_per_line")
        wrong(value, "[limit] has units_per_line, and no '" + std::string(key.str()) + "'");
      const auto units = value.value_exact<std::int64_t>();
      if (!units || *units < 1 || *units > 1'000'000'000)
        wrong(value, "limit.units_per_line is a whole number from 1 to 1000000000");
      out_.units_per_line_ = {*units, "limit.units_per_line = " + std::to_string(*units) + " (" + name_ + ", line " +
                                          std::to_string(value.source().begin.line) + ")"};
    }
  }

  void read_sell(const std::string& group, const toml::node& node) {
    const std::string place = "sell." + group, path = group == "default" ? "*" : group;
    for (const auto& [key, value] : table(node, place)) {
      const std::string what(key.str());
      if (what != "out_of_stock" && what != "unknown_stock")
        wrong(value, "[" + place + "] has out_of_stock and unknown_stock, and no '" + what + "'");
      auto& rules = what == "out_of_stock" ? out_.out_of_stock_ : out_.unknown_stock_;
      rules.insert_or_assign(path, rule<SellRule>(value, place + "." + what, kSellRules));
    }
  }

  std::string name_;
  Policies& out_;
};

Result<Policies> Policies::parse(const std::string& text, const std::string& name) {
  Policies out;
  try {
    PolicyFile(name, out).read(toml::parse(text, name));
  } catch (const toml::parse_error& e) {
    std::ostringstream why;
    why << name << ", line " << e.source().begin.line << ": " << e.description();
    return fail(ErrorKind::invalid, why.str());
  } catch (const std::string& why) {
    return fail(ErrorKind::invalid, why);
  }
  return out;
}

}  // namespace tillsync
