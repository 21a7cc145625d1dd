// Scenario files: what can be read, written and read again, is the same.
#include "sim/scenario/scenario_file.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace tillsync;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto scenario = sim::parse_scenario({reinterpret_cast<const char*>(data), size}, "fuzz.toml");
  if (!scenario) {
    fuzz::require(!scenario.error().message.empty(), "a refusal without a sentence");
    return 0;
  }
  const std::string text = sim::toml_of(*scenario);
  const auto again = sim::parse_scenario(text, "again.toml");
  fuzz::require(again && sim::toml_of(*again) == text, "a scenario that changes when it is written down");
  return 0;
}
