#include "engine/cloud/fleet.hpp"

#include "engine/cloud/ingest/frontier.hpp"
#include "engine/cloud/ingest/meta_names.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/cloud_store.hpp"

namespace tillsync {

namespace {

// "what/TENANT/BRANCH"
BranchKey shop_named(const std::string& name) {
  const std::size_t tenant = name.find('/') + 1, branch = name.find('/', tenant);
  if (branch == std::string::npos) return {};
  return {name.substr(tenant, branch - tenant), {name.substr(branch + 1)}};
}

template <class T>
void each_meta(CloudTxn& txn, const std::string& prefix, const std::function<void(const BranchKey&, T)>& visit) {
  txn.metas(prefix, [&](const std::string& name, ByteView value) {
    if (auto read = unpack<T>(value)) visit(shop_named(name), std::move(*read));
  });
}

std::string minutes(std::int64_t ms) {
  const std::int64_t m = ms / 60'000;
  return m < 120    ? std::to_string(m) + " min"
         : m < 2880 ? std::to_string(m / 60) + " h"
                    : std::to_string(m / 1440) + " days";
}

}  // namespace

std::vector<BranchReport> read_fleet(CloudTxn& txn, const std::string& tenant, const std::vector<BranchKey>& known) {
  std::map<BranchKey, BranchReport> found;
  for (const BranchKey& shop : known) {
    if (tenant.empty() || shop.tenant == tenant) found[shop].shop = shop;
  }
  const std::string of = tenant.empty() ? "" : tenant + "/";
  each_meta<Tally>(txn, kTallyNotes + of, [&](const BranchKey& shop, Tally tally) {
    BranchReport& report = found[shop];
    report.shop = shop;
    report.tally = std::move(tally);
  });
  each_meta<Frontier>(txn, kFrontierNotes + of, [&](const BranchKey& shop, const Frontier& frontier) {
    if (const auto it = found.find(shop); it != found.end()) it->second.complete_ms = frontier.at().millis();
  });
  each_meta<LeaseRecord>(txn, kLeaseNotes + of, [&](const BranchKey& shop, const LeaseRecord& lease) {
    if (const auto it = found.find(shop); it != found.end()) it->second.lease = lease;
  });
  each_meta<OutboxState>(txn, "outbox/" + of, [&](const BranchKey& shop, const OutboxState& state) {
    if (const auto it = found.find(shop); it != found.end()) it->second.outbox = state;
  });
  std::vector<BranchReport> out;
  for (auto& [shop, report] : found) out.push_back(std::move(report));
  return out;
}

Health health_of(const BranchReport& branch, std::int64_t now_ms) {
  Health health;
  const bool shared = branch.shop.branch.text.empty();  // nobody's own: only its conflicts matter
  auto matters = [&](std::uint64_t score, const std::string& words) {
    health.score += score;
    health.words += (health.words.empty() ? "" : "; ") + words;
  };
  if (!shared && branch.tally.heard_ms == 0)
    matters(500, "never heard of");
  else if (!shared && now_ms - branch.tally.heard_ms > kSilentMs)
    matters(1000, "silent for " + minutes(now_ms - branch.tally.heard_ms));
  else if (branch.complete_ms != 0 && now_ms - branch.complete_ms > kBehindLimitMs)
    matters(200, "a till is missing for " + minutes(now_ms - branch.complete_ms));
  if (branch.outbox && branch.outbox->failing_since_ms != 0 &&
      now_ms - branch.outbox->failing_since_ms > kWebhookLateMs)
    matters(300, "its webhook fails for " + minutes(now_ms - branch.outbox->failing_since_ms));
  if (branch.outbox && branch.outbox->set_aside > 0)
    matters(100, std::to_string(branch.outbox->set_aside) + " deliveries set aside");
  const std::int64_t open = branch.tally.conflicts();
  if (open > 0)
    matters(50 + static_cast<std::uint64_t>(open), std::to_string(open) + (open == 1 ? " conflict" : " conflicts"));
  return health;
}

}  // namespace tillsync
