// Whether a till has a product to sell, as far as it knows, and what the shop wants done when it has not.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <tillsync/op.hpp>

namespace tillsync {

enum class SellRule : std::uint8_t { allow, warn, block };  // sell; sell, but tell the cashier; don't

struct Availability {
  enum class Answer : std::uint8_t { yes, no, unknown } answer = Answer::unknown;
  std::optional<Quantity> believed;              // to be on the shelf; nothing when the product was never counted
  std::optional<std::chrono::milliseconds> age;  // since anything was last heard of the rest of the shop; if ever
  SellRule rule = SellRule::allow;               // what to do, as the policies say
  std::string why;                               // which of them: for the log, or for a cashier who asks
};

}  // namespace tillsync
