// What a picture of a run needs: how every node stood, looked at often enough.
#pragma once

#include "sim/scenario/scenario.hpp"

namespace tillsync::sim {

class Timeline {
 public:
  struct Till {
    bool up = false, suspended = false;
    LeaseKind lease = LeaseKind::none;  // that it holds itself
    std::string follows;
    std::uint64_t receipts = 0, unsent = 0;
  };
  struct Look {
    Duration at{};
    std::map<std::string, Till> tills;
    bool cloud_up = false;
    std::uint64_t in_cloud = 0, conflicts = 0;
    std::vector<std::pair<std::string, std::string>> cuts;  // from, to
  };

  // `length` of what is to be seen, in time; the looks are that much apart.
  explicit Timeline(Duration length);
  void after_event(Fleet& fleet);  // looks when it is time
  const std::vector<Look>& looks() const { return looks_; }

 private:
  void look(Fleet& fleet);
  Duration every_;
  Instant next_;
  std::vector<Look> looks_;
};

struct Outcome;
// One self-contained page: a lane for each node, partitions shaded, leases, queues, conflicts, what was done.
std::string html_page(const Scenario& scenario, const Outcome& outcome, const Timeline& timeline);

}  // namespace tillsync::sim
