// Delivers what is accepted to tenants' webhooks (engine/cloud/ingest/outbox.hpp): branch by branch in order, several
// branches at once, and a tenant's slow endpoint holds up nobody else's. Of several cloud processes one at a time
// serves a tenant, by a claim in the record; should two, a delivery arrives twice under the same key.
//
// A request is a POST of {"tenant", "branch", "ops": [...]} with
//   Idempotency-Key       the delivery's key
//   Tillsync-Timestamp    Unix seconds
//   Tillsync-Signature    "v1=" and the hex HMAC-SHA-256 (RFC 2104), with the webhook's secret, of TIMESTAMP "." BODY
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "engine/cloud/courier.hpp"
#include "engine/cloud/ingest/outbox.hpp"
#include "transport/cloud/cloud_runtime.hpp"

namespace tillsync {

std::string webhook_signature(const std::string& secret, std::int64_t timestamp_s, const std::string& body);
// One attempt; ends within `limit` whatever the other side does.
WebhookAnswer post_delivery(const Webhook& hook, const std::string& key, const std::string& body, Duration limit);

class Webhooks {
 public:
  static constexpr std::size_t kLanes = 4;  // of a tenant: branches that are delivered at once
  static constexpr Duration kAttempt = seconds(15), kLookEvery = milliseconds(500), kClaim = seconds(30);

  Webhooks(CloudRuntime& cloud, Log log);
  ~Webhooks();  // within kAttempt

 private:
  void look_after_tenants();
  void serve(const std::string& tenant, std::size_t lane);
  bool claim(const std::string& tenant);
  // True when something was delivered: there may be more.
  bool deliver_next(const std::string& tenant, const BranchKey& shop);
  Result<void> record(const BranchKey& shop, const Delivery& delivery, const CourierVerdict& verdict,
                      std::int64_t now_ms);
  void pause(Duration time);

  CloudRuntime& cloud_;
  Log log_;
  std::uint64_t run_;
  std::mutex mutex_;
  std::condition_variable stop_;
  std::atomic<bool> stopping_ = false;
  std::map<std::string, std::vector<std::thread>> tenants_;
  std::thread keeper_;
};

}  // namespace tillsync
