// policies.toml, as a shop may write it.
#include "conflicts/policy.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace tillsync;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto policies = Policies::parse({reinterpret_cast<const char*>(data), size}, "policies.toml");
  if (!policies) {
    fuzz::require(!policies.error().message.empty(), "a refusal without a sentence");
    return 0;
  }
  fuzz::require(!policies->field("product", "price").why.empty(), "a rule that can't say where it comes from");
  (void)policies->anomaly("below_zero"), (void)policies->out_of_stock("drinks"), (void)policies->unknown_stock("");
  return 0;
}
