// A scenario: a shop's layout, what it sells, what happens to it and what is expected. Chance draws them from a seed
// (draw.hpp), people write them as TOML files (scenario_file.hpp), and a run plays them (run.hpp). The steps are a
// small language, one line each; docs/simulator.md is its manual, grammar() its source.
//
//   10:02 cut till-1,till-2 from till-3 for 90 s
#pragma once

#include <optional>
#include <string>
#include <tillsync/result.hpp>
#include <tillsync/time.hpp>
#include <vector>

#include "sim/world/fleet.hpp"

namespace tillsync::sim {

enum class Verb : std::uint8_t {
  sell,
  refund,
  restock,
  count,
  sell_unknown,
  price,
  drop_price,
  edit,
  settle,
  crash,
  power_cut,
  start,
  restart,
  suspend,
  cut,
  cut_one_way,
  mend,
  delay,
  jitter,
  loss,
  reorder,
  bandwidth,
  resets,
  disk_full,
  disk_free,
  rot,
  clock,
  drift,
  backup,
  restore,
  clone,
  expel,
  forge,
  newer,
  hand_over,
  set,
  fitness,
  expect_host,
  expect_no_host,
  expect_lease,
  expect_sold,
  expect_refused,
  expect_stock,
  expect_conflicts,
  expect_unsent,
  expect_settled,
};

struct Step {
  Duration at{};  // since the world began; Scenario::kAtEnd: when all is healed and settled
  Verb verb = Verb::sell;
  std::vector<std::string> who, whom;  // tills, "cloud", "host", "rest" (of the tills and the cloud), "all" (tills)
  std::string word;                    // a product, a name, a lease's kind
  std::string key;                     // an idempotency key of its own
  std::int64_t number = 0;
  std::optional<Duration> lasting;
  bool operator==(const Step&) const = default;
};

// One form of a verb: capitals are slots, the rest stands for itself.
struct Form {
  Verb verb;
  const char* pattern;
  const char* meaning;
  bool lasts;  // may end in "for TIME", and is then undone
};
const std::vector<Form>& grammar();

struct Sales {  // spread evenly by chance over [from, until)
  Duration from{}, until{};
  int count = 0;
  std::vector<std::string> tills;  // empty: all
  int products = 10;
};

struct Scenario {
  static constexpr Duration kAtEnd = Duration::max();

  std::string name, story;
  FleetPlan plan;
  Line line;
  Duration start{};  // the time of day when the world begins; steps are counted from there
  Duration length{};
  Duration drain_limit = std::chrono::minutes(3);
  std::vector<Sales> sales;
  std::vector<Step> steps;  // in order of time

  std::string clock_time(Duration at) const;  // "10:02:03.250", or "end"
  std::string line_of(const Step& step) const;
  // The same with every sale a step of its own, so that it can be cut down; only the seed decides which.
  Scenario spelled_out() const;
};

// One line of a script. Errors: refused, with what is wrong and which forms the verb has.
Result<Step> parse_step(const Scenario& scenario, const std::string& line);
Result<Duration> parse_clock_time(const std::string& text);  // since midnight
Result<Duration> parse_duration(const std::string& number, const std::string& unit);

}  // namespace tillsync::sim
