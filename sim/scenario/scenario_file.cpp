#include "sim/scenario/scenario_file.hpp"

#include <toml++/toml.h>
#include <algorithm>
#include <set>
#include <sstream>

#include "sim/scenario/verbs/verb_table.hpp"
#include "sim/scenario/verbs/words.hpp"

namespace tillsync::sim {

namespace {

struct Wrong {
  std::uint32_t line;
  std::string what;
};

std::uint32_t line_of(const toml::node& node) { return node.source().begin.line; }

void check_keys(const toml::table& table, const std::set<std::string>& known, const std::string& where) {
  for (const auto& [key, node] : table) {
    if (known.contains(std::string(key.str()))) continue;
    std::string all;
    for (const std::string& each : known) all += (all.empty() ? "" : ", ") + each;
    throw Wrong{line_of(node), where + " has no '" + std::string(key.str()) + "': it may have " + all};
  }
}

std::int64_t number(const toml::table& table, const char* key, std::int64_t otherwise, std::int64_t least,
                    std::int64_t most) {
  const toml::node* node = table.get(key);
  if (node == nullptr) return otherwise;
  const auto value = node->value_exact<std::int64_t>();
  if (!value || *value < least || *value > most)
    throw Wrong{line_of(*node),
                std::string(key) + " is a whole number from " + std::to_string(least) + " to " + std::to_string(most)};
  return *value;
}

Duration time_of_day(const toml::table& table, const char* key, std::optional<Duration> otherwise) {
  const toml::node* node = table.get(key);
  if (node == nullptr) {
    if (otherwise) return *otherwise;
    throw Wrong{line_of(table), std::string(key) + " is missing: a time of day, such as \"10:00\""};
  }
  const auto time = parse_clock_time(node->value_or(std::string()));
  if (!time) throw Wrong{line_of(*node), std::string(key) + ": " + time.error().message};
  return *time;
}

const toml::table& part(const toml::table& table, const char* key) {
  static const toml::table none;
  const toml::node* node = table.get(key);
  if (node == nullptr) return none;
  if (!node->is_table()) throw Wrong{line_of(*node), std::string("[") + key + "] is a table"};
  return *node->as_table();
}

void read_sales(const toml::table& root, Scenario& out) {
  const toml::node* node = root.get("sales");
  if (node == nullptr) return;
  if (!node->is_array_of_tables()) throw Wrong{line_of(*node), "sales are written as [[sales]]"};
  for (const toml::node& each : *node->as_array()) {
    const toml::table& table = *each.as_table();
    check_keys(table, {"from", "until", "count", "tills", "products"}, "[[sales]]");
    Sales sales;
    sales.from = time_of_day(table, "from", out.start) - out.start;
    sales.until = time_of_day(table, "until", out.start + out.length) - out.start;
    sales.count = static_cast<int>(number(table, "count", 100, 1, 1'000'000));
    sales.products = static_cast<int>(number(table, "products", 10, 1, 100'000));
    if (sales.from < Duration::zero() || sales.until <= sales.from)
      throw Wrong{line_of(each), "these sales end before they begin"};
    if (const toml::array* tills = table["tills"].as_array()) {
      for (const toml::node& till : *tills) sales.tills.push_back(till.value_or(std::string()));
    }
    out.sales.push_back(std::move(sales));
  }
}

// Lines of the script, in the order of their times.
using Numbered = std::pair<std::uint32_t, Step>;

// Where the first line of a text stands: TOML drops a line's end right after the opening quotes.
std::uint32_t first_line_of(const toml::node& text, const std::string& file) {
  const std::uint32_t opens = line_of(text);
  if (opens == text.source().end.line) return opens;
  std::istringstream lines(file);
  std::string line;
  for (std::uint32_t i = 0; i < opens; ++i) std::getline(lines, line);
  if (line.ends_with('\r')) line.pop_back();
  return line.ends_with("'''") || line.ends_with("\"\"\"") ? opens + 1 : opens;
}

std::uint32_t line_of_sales(const toml::table& root, std::size_t index) {
  return line_of((*root["sales"].as_array())[index]);
}

void check_names(const toml::table& root, const Scenario& scenario, const std::vector<Numbered>& steps) {
  std::vector<std::string> known = scenario.machines();
  const auto check = [&](std::uint32_t line, const std::string& where, const Step& step) {
    const std::string stranger = stranger_among(step, known);
    if (!stranger.empty())
      throw Wrong{line, "'" + where + "': there is no '" + stranger + "' by then: " + did_you_mean(stranger, known)};
  };
  for (std::size_t i = 0; i < scenario.sales.size(); ++i) {
    Step sellers;
    sellers.who = scenario.sales[i].tills;
    check(line_of_sales(root, i), "[[sales]]", sellers);
  }
  for (const auto& [line, step] : steps) {
    check(line, scenario.line_of(step), step);
    if (const std::string name = step.verb->introduces(step); !name.empty()) known.push_back(name);
  }
}

void read_script(const toml::table& root, const std::string& file, Scenario& out) {
  std::vector<Numbered> steps;
  const toml::node* node = root.get("script");
  std::istringstream script(node == nullptr ? std::string() : node->value_or(std::string()));
  std::uint32_t at = node == nullptr ? 0 : first_line_of(*node, file);
  for (std::string line; std::getline(script, line); ++at) {
    line = line.substr(0, line.find('#'));
    if (line.find_first_not_of(" \t") == std::string::npos) continue;
    if (std::ranges::any_of(line, [](char c) { return c == '\'' || (c >= 0 && c < ' ' && c != '\t') || c == 127; }))
      throw Wrong{at, "a quote or a control character has no place in a script"};
    auto step = parse_step(out, line.substr(line.find_first_not_of(" \t")));
    if (!step) throw Wrong{at, step.error().message};
    if (step->at != Scenario::kAtEnd && step->at > out.length)
      throw Wrong{at, "'" + line + "' is after the end of the world at " + out.clock_time(out.length)};
    steps.emplace_back(at, std::move(*step));
  }
  std::stable_sort(steps.begin(), steps.end(),
                   [](const Numbered& a, const Numbered& b) { return a.second.at < b.second.at; });
  check_names(root, out, steps);
  for (auto& [line, step] : steps) out.steps.push_back(std::move(step));
}

Scenario read(const toml::table& root, const std::string& file) {
  check_keys(root, {"name", "story", "seed", "start", "end", "drain_limit_s", "branch", "network", "sales", "script"},
             "a scenario");
  Scenario out;
  out.name = root["name"].value_or(std::string("a scenario"));
  out.story = root["story"].value_or(std::string());
  out.start = time_of_day(root, "start", std::nullopt);
  out.length = time_of_day(root, "end", std::nullopt) - out.start;
  if (out.length <= Duration::zero()) throw Wrong{line_of(*root.get("end")), "the world ends before it begins"};
  out.drain_limit = seconds(number(root, "drain_limit_s", 180, 1, 86'400));
  const toml::table& branch = part(root, "branch");
  check_keys(branch, {"branches", "tills", "lease_ms", "witness", "keep_ms"}, "[branch]");
  out.plan.seed = static_cast<std::uint64_t>(number(root, "seed", 1, 0, std::numeric_limits<std::int64_t>::max()));
  out.plan.branches = static_cast<int>(number(branch, "branches", 1, 1, 50));
  out.plan.tills = static_cast<int>(number(branch, "tills", 3, 1, 60));
  out.plan.witness = branch["witness"].value_or(false);
  out.plan.keep = milliseconds(number(branch, "keep_ms", 0, 0, std::int64_t{1} << 40));
  out.plan.lease_ms =
      static_cast<std::uint32_t>(number(branch, "lease_ms", 3000, Roster::kMinLeaseMs, Roster::kMaxLeaseMs));
  const toml::table& network = part(root, "network");
  check_keys(network, {"delay_ms", "jitter_ms", "resets_ppm", "kbit_s"}, "[network]");
  out.line.delay = milliseconds(number(network, "delay_ms", 2, 0, 60'000));
  out.line.jitter = milliseconds(number(network, "jitter_ms", 1, 0, 60'000));
  out.line.resets_per_million = static_cast<std::uint64_t>(number(network, "resets_ppm", 0, 0, 1'000'000));
  out.line.bits_per_second = static_cast<std::uint64_t>(number(network, "kbit_s", 0, 0, 10'000'000)) * 1000;
  read_sales(root, out);
  read_script(root, file, out);
  return out;
}

std::string quoted(const std::string& text) {
  const toml::value<std::string> value(text);
  std::ostringstream out;
  out << toml::toml_formatter(value, toml::format_flags::none);
  return out.str();
}

}  // namespace

Result<Scenario> parse_scenario(const std::string& text, const std::string& where) {
  try {
    return read(toml::parse(text), text);
  } catch (const Wrong& wrong) {
    return fail(ErrorKind::invalid, where + ", line " + std::to_string(wrong.line) + ": " + wrong.what);
  } catch (const toml::parse_error& error) {
    return fail(ErrorKind::invalid, where + ", line " + std::to_string(error.source().begin.line) + ": " +
                                        std::string(error.description()));
  }
}

std::string toml_of(const Scenario& s) {
  std::ostringstream out;
  auto time = [&](Duration at) { return "\"" + s.clock_time(at) + "\""; };
  out << "name = " << quoted(s.name) << "\nstory = " << quoted(s.story) << "\nseed = " << s.plan.seed
      << "\nstart = " << time({}) << "\nend = " << time(s.length) << "\n\n[branch]\nbranches = " << s.plan.branches
      << "\ntills = " << s.plan.tills << "\nlease_ms = " << s.plan.lease_ms
      << (s.plan.witness ? "\nwitness = true" : "")
      << (s.plan.keep > Duration::zero() ? "\nkeep_ms = " + std::to_string(to_ms(s.plan.keep)) : "")
      << "\n\n[network]\ndelay_ms = " << to_ms(s.line.delay) << "\njitter_ms = " << to_ms(s.line.jitter)
      << "\nresets_ppm = " << s.line.resets_per_million << "\nkbit_s = " << s.line.bits_per_second / 1000 << "\n";
  for (const Sales& each : s.sales) {
    out << "\n[[sales]]\nfrom = " << time(each.from) << "\nuntil = " << time(each.until) << "\ncount = " << each.count
        << "\nproducts = " << each.products << "\n";
    if (each.tills.empty()) continue;
    out << "tills = [";
    for (const std::string& till : each.tills) out << "\"" << till << "\", ";
    out << "]\n";
  }
  std::string script;
  for (const Step& step : s.steps) script += s.line_of(step) + "\n";
  std::string whole = out.str();
  // A script is a top-level key, so it stands before the tables.
  whole.insert(whole.find("\n\n[branch]\nbranches = ") + 1, "script = '''\n" + script + "'''\n");
  return whole;
}

}  // namespace tillsync::sim
