// Metrics in Prometheus' text format (version 0.0.4). What is counted is counted where it happens; here it is put into
// families. docs/monitoring.md lists them, with what to do about each.
#pragma once

#include <prometheus/metric_family.h>

#include <map>
#include <string>
#include <vector>

#include "transport/cloud/cloud_runtime.hpp"
#include "transport/till/till_runtime.hpp"

namespace tillsync {

class Sheet {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;
  void gauge(const std::string& name, const std::string& help, double value, const Labels& labels = {});
  void counter(const std::string& name, const std::string& help, double value, const Labels& labels = {});
  void histogram(const std::string& name, const std::string& help, const FlushTimes& times);
  std::string text() const;

 private:
  prometheus::MetricFamily& family(const std::string& name, const std::string& help, prometheus::MetricType type);
  std::map<std::string, prometheus::MetricFamily> families_;
};

// Each from a thread that is not the runtime's.
std::string till_metrics(TillRuntime& till);
Result<std::string> cloud_metrics(CloudRuntime& cloud, const std::string& tenant);  // empty: of all tenants

}  // namespace tillsync
