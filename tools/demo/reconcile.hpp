// Compares what went in with what the cloud and the tills hold.
#pragma once

#include "tools/client/sales/sales_file.hpp"
#include "tools/demo/fleet.hpp"

namespace tillsync::demo {

struct Report {
  std::uint64_t sales_in = 0, ops_recorded = 0, ops_in_cloud = 0, lost = 0, duplicated = 0, order_violations = 0,
                stock_mismatches = 0, conflicts_open = 0, host_failovers = 0, skus = 0, rows_left_out = 0, lines_in = 0;
  std::int64_t failover_ms = 0, drain_ms = 0, units_in_milli = 0, units_in_cloud_milli = 0;

  bool clean() const {
    return lost + duplicated + order_violations + stock_mismatches == 0 && units_in_milli == units_in_cloud_milli;
  }
  Json json() const;
  std::string table() const;
};

// Fills in what can be told from the cloud's ops, its stock and every till's stock. `dealt` holds each till's keys in
// order.
void reconcile(Fleet& fleet, const sales::SalesFile& file, const std::vector<std::vector<std::string>>& dealt,
               Report& report);

// True when the till's stock is what the file says; what a drain waits for besides empty queues.
bool stock_settled(Process& till, const sales::SalesFile& file);

}  // namespace tillsync::demo
