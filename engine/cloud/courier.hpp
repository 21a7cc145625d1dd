// What a webhook's answer to a delivery means, and when to come back. An outage of any length sets nothing aside by
// itself: only an answer that says that it is these ops that it will never take does, and only after it has said so
// several times.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tillsync/time.hpp>

namespace tillsync {

struct WebhookAnswer {
  int status = 0;        // of HTTP; 0: there was none
  std::string trouble;   // then: why not
  std::string location;  // of a redirection
  std::optional<Duration> retry_after;
};

struct CourierVerdict {
  enum class What { delivered, wait, set_aside } what = What::wait;
  Duration wait{};
  std::string why;  // one sentence, for people
};

constexpr std::uint64_t kRefusalsBeforeAside = 5;
constexpr Duration kFirstRetry = std::chrono::seconds(1), kLongestRetry = std::chrono::minutes(5),
                   kLongestRetryAfter = std::chrono::hours(1);

// `attempts`: in vain, before this one. `chance`: even in [0, 1): that not all come back at once.
CourierVerdict judge(const WebhookAnswer& answer, std::uint64_t attempts, double chance);

}  // namespace tillsync
