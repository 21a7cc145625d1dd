#include "engine/cloud/courier.hpp"

#include <algorithm>

namespace tillsync {

namespace {

bool refuses_content(int status) { return status == 400 || status == 413 || status == 415 || status == 422; }

std::string words(const WebhookAnswer& answer) {
  if (answer.status == 0) return answer.trouble;
  const std::string said = "it answered " + std::to_string(answer.status);
  if (answer.status >= 300 && answer.status < 400)
    return said + ", a redirection" + (answer.location.empty() ? "" : " to " + answer.location) +
           ", which is not followed: set the new address with 'tillsync webhook set'";
  if (answer.status == 401 || answer.status == 403)
    return said + ": it does not accept the signature; compare the secret";
  if (answer.status == 404 || answer.status == 410) return said + ": nothing is at that address; check it";
  return said;
}

}  // namespace

CourierVerdict judge(const WebhookAnswer& answer, std::uint64_t attempts, double chance) {
  using What = CourierVerdict::What;
  if (answer.status >= 200 && answer.status < 300) return {What::delivered, {}, {}};
  if (refuses_content(answer.status) && attempts + 1 >= kRefusalsBeforeAside)
    return {What::set_aside, {}, words(answer) + " " + std::to_string(attempts + 1) + " times"};
  const auto doublings = std::min<std::uint64_t>(attempts, 16);
  const Duration full = std::min<Duration>(kFirstRetry * (1ULL << doublings), kLongestRetry);
  Duration wait = full / 2 + Duration(static_cast<Duration::rep>(static_cast<double>(full.count()) / 2 * chance));
  if (answer.retry_after) wait = std::max(wait, std::min<Duration>(*answer.retry_after, kLongestRetryAfter));
  return {What::wait, wait, words(answer)};
}

}  // namespace tillsync
