#include <algorithm>

#include "transport/api/json.hpp"

namespace tillsync {

namespace {

Json branch_json(const BranchReport& each, const Health& health, std::int64_t now_ms) {
  Json out{{"tenant_id", each.shop.tenant},
           {"branch", each.shop.branch.text},
           {"ok", health.score == 0},
           {"matter", health.words},
           {"ops", each.tally.ops},
           {"duplicates", each.tally.duplicates},
           {"refused_ops", each.tally.refused_ops},
           {"conflicts", each.tally.conflicts()},
           {"conflicts_by_kind", each.tally.waiting},
           {"silent_ms", each.tally.heard_ms == 0 ? 0 : std::max<std::int64_t>(0, now_ms - each.tally.heard_ms)},
           {"behind_ms", each.complete_ms == 0 ? 0 : std::max<std::int64_t>(0, now_ms - each.complete_ms)},
           {"term", each.lease.term.value}};
  if (each.lease.holder) out["host"] = each.lease.holder->text;
  if (each.outbox) {
    out["webhook"] = {{"backlog", each.outbox->backlog()},
                      {"set_aside", each.outbox->set_aside},
                      {"failing_ms", each.outbox->failing_since_ms == 0 ? 0 : now_ms - each.outbox->failing_since_ms},
                      {"why", each.outbox->why}};
  }
  return out;
}

}  // namespace

Json to_json(const std::vector<BranchReport>& fleet, std::int64_t now_ms) {
  std::vector<std::pair<Health, const BranchReport*>> sorted;
  for (const BranchReport& each : fleet) {
    if (!each.shop.branch.text.empty() || each.tally.conflicts() > 0)
      sorted.emplace_back(health_of(each, now_ms), &each);
  }
  std::ranges::stable_sort(sorted, std::ranges::greater{}, [](const auto& each) { return each.first.score; });
  Json out = Json::array();
  for (const auto& [health, branch] : sorted) out.push_back(branch_json(*branch, health, now_ms));
  return out;
}

}  // namespace tillsync
