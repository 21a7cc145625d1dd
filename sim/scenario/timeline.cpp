#include "sim/scenario/timeline.hpp"

#include <algorithm>

namespace tillsync::sim {

namespace {
constexpr int kLooks = 900;  // over the scenario's length; draining adds more
}

Timeline::Timeline(Duration length) : every_(std::max<Duration>(length / kLooks, milliseconds(20))) {}

void Timeline::after_event(Fleet& fleet) {
  if (fleet.world().now() < next_) return;
  next_ = fleet.world().now() + every_;
  look(fleet);
}

void Timeline::look(Fleet& fleet) {
  Look now;
  now.at = fleet.world().now().since_boot;
  std::vector<std::string> names{"cloud"};
  for (const auto& till : fleet.tills()) {
    Till& t = now.tills[till->label()];
    names.push_back(till->label());
    t.up = till->alive(), t.suspended = till->suspended();
    t.receipts = till->receipts().size();
    if (!t.up) continue;
    const LeaseView lease = till->node().lease(till->now());
    t.follows = lease.kind == LeaseKind::none ? "" : lease.host.text;
    if (lease.host == till->who().till) t.lease = lease.kind;
    t.unsent = till->node().status(till->now()).unsent;
  }
  now.cloud_up = fleet.cloud().alive();
  for (int b = 0; b < fleet.branches() && now.cloud_up; ++b) {
    fleet.cloud().read([&](CloudTxn& txn) {
      for (const auto& [chain, point] : txn.chains(fleet.shop(b))) now.in_cloud += point.seq.value;
    });
    now.conflicts += fleet.conflicts(b).size();
  }
  for (const std::string& a : names) {
    for (const std::string& b : names) {
      if (fleet.network().is_cut(a, b)) now.cuts.emplace_back(a, b);
    }
  }
  looks_.push_back(std::move(now));
}

}  // namespace tillsync::sim
