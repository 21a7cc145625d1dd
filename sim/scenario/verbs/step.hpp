// One line of a script: when, what, and to whom.
#pragma once

#include <optional>
#include <string>
#include <tillsync/time.hpp>
#include <vector>

namespace tillsync::sim {

class Verb;

struct Step {
  static constexpr Duration kAtEnd = Duration::max();  // when all is healed and has settled

  Duration at{};  // since the world began
  const Verb* verb = nullptr;
  std::vector<std::string> who, whom;  // tills, "cloud", "host", "rest" (of the tills and the cloud), "all" (tills)
  std::string word;                    // a product, a name, a lease's kind
  std::string key;                     // an idempotency key of its own
  std::int64_t number = 0;             // units and percentages in thousandths
  std::optional<Duration> lasting;
  bool operator==(const Step&) const = default;
};

}  // namespace tillsync::sim
