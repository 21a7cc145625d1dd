#include "transport/http/metrics.hpp"

#include <prometheus/text_serializer.h>

#include <sstream>

#include "engine/cloud/fleet.hpp"
#include "transport/base/clock.hpp"

namespace tillsync {

using prometheus::ClientMetric;
using prometheus::MetricType;

prometheus::MetricFamily& Sheet::family(const std::string& name, const std::string& help, MetricType type) {
  auto& out = families_["tillsync_" + name];
  out.name = "tillsync_" + name, out.help = help, out.type = type;
  return out;
}

namespace {
ClientMetric labelled(const Sheet::Labels& labels) {
  ClientMetric out;
  for (const auto& [name, value] : labels) out.label.push_back({name, value});
  return out;
}
}  // namespace

void Sheet::gauge(const std::string& name, const std::string& help, double value, const Labels& labels) {
  ClientMetric metric = labelled(labels);
  metric.gauge.value = value;
  family(name, help, MetricType::Gauge).metric.push_back(std::move(metric));
}

void Sheet::counter(const std::string& name, const std::string& help, double value, const Labels& labels) {
  ClientMetric metric = labelled(labels);
  metric.counter.value = value;
  family(name, help, MetricType::Counter).metric.push_back(std::move(metric));
}

void Sheet::histogram(const std::string& name, const std::string& help, const FlushTimes& times) {
  ClientMetric metric;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i <= FlushTimes::kUpTo.size(); ++i) {
    sum += times.count(i);
    const double up_to = i < FlushTimes::kUpTo.size() ? FlushTimes::kUpTo[i] : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({sum, up_to});
  }
  metric.histogram.sample_count = sum;
  metric.histogram.sample_sum = times.sum_s();
  family(name, help, MetricType::Histogram).metric.push_back(std::move(metric));
}

std::string Sheet::text() const {
  std::vector<prometheus::MetricFamily> all;
  for (const auto& [name, family] : families_) all.push_back(family);
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, all);
  return out.str();
}

std::string till_metrics(TillRuntime& till) {
  struct Seen {
    Status status;
    std::map<std::string, std::uint64_t> conflicts;
  };
  const Seen seen = till.ask([&] {
    Seen out{till.status(), {}};
    for (const Conflict& c : till.node().conflicts()) {
      if (c.waits()) ++out.conflicts[c.kind];
    }
    return out;
  });
  const Status& s = seen.status;
  auto n = [](auto value) { return static_cast<double>(value); };
  Sheet sheet;
  sheet.gauge("info", "Which till this is; always 1.", 1,
              {{"branch", s.branch}, {"till", s.till}, {"tenant", s.tenant}});
  sheet.gauge("accepting", "1: sales are accepted. 0: the journal's disk failed.", s.accepting);
  sheet.gauge("database_ok", "0: the database is damaged or full; sales go on in the journal.", s.database_ok);
  sheet.counter("ops_recorded_total", "Ops of the present history.", n(s.recorded));
  sheet.gauge("queue_ops", "Ops that the cloud does not hold yet.", n(s.unsent));
  sheet.gauge("queue_oldest_seconds", "Age of the oldest of them.", n(s.oldest_unsent_ms) / 1000);
  sheet.gauge("one_disk_only_ops", "Ops that are on this disk alone.", n(s.one_disk_only));
  sheet.gauge("relaying_ops", "Other tills' ops that are kept here for the cloud.", n(s.relaying));
  sheet.counter("duplicates_closed_total", "Keys recorded again with the same content, since the start.",
                n(s.duplicates_closed));
  sheet.gauge("is_host", "1: this till hosts its branch.", s.is_host);
  for (const char* kind : {"none", "provisional", "exclusive"})
    sheet.gauge("lease_state", "1 at the kind of lease that is known here.", s.lease == kind, {{"kind", kind}});
  sheet.gauge("lease_term", "The term of the lease that is known here.", n(s.lease_term));
  sheet.counter("failovers_total", "Changes of the host since the start.", n(s.host_changes));
  sheet.gauge("cloud_connected", "1: connected to the cloud; a till that is no host reaches it by the host.",
              s.cloud_connected);
  sheet.gauge("peers", "Connections.", n(s.peers.size()));
  sheet.gauge("rows", "Rows from the cloud.", n(s.rows));
  sheet.counter("rows_diverged_total", "Times that rows did not add up, and were fetched anew.", n(s.rows_diverged));
  sheet.counter("forks_total", "Times that this till's history forked.", n(s.forks));
  sheet.counter("refused_messages_total", "Messages of others that were refused.", n(s.refused_messages));
  sheet.gauge("clock_offset_seconds", "What the cloud's time is ahead of this machine's.", n(s.clock_offset_ms) / 1000);
  sheet.gauge("checkpoint_age_seconds", "Age of the oldest op that is in the journal and not in the database.",
              n(s.checkpoint_age_ms) / 1000);
  for (const auto& [kind, count] : seen.conflicts)
    sheet.gauge("conflicts_waiting", "Conflicts that nobody has settled, by kind.", n(count), {{"kind", kind}});
  sheet.histogram("journal_flush_seconds", "How long it took until a batch was safe on the disk.", till.flush_times());
  return sheet.text();
}

namespace {

void add_branch(Sheet& sheet, const BranchReport& each, const std::string& tenant, std::int64_t now_ms) {
  const Sheet::Labels labels{{"tenant", tenant}, {"branch", each.shop.branch.text}};
  auto n = [](auto value) { return static_cast<double>(value); };
  auto since = [&](std::int64_t ms) { return ms == 0 ? 0 : std::max(0.0, n(now_ms - ms) / 1000); };
  sheet.counter("branch_ops_total", "Ops that the cloud holds.", n(each.tally.ops), labels);
  sheet.counter("branch_duplicates_total", "Ops whose key had taken effect already.", n(each.tally.duplicates), labels);
  sheet.counter("branch_refused_ops_total", "Ops that broke a rule.", n(each.tally.refused_ops), labels);
  sheet.gauge("branch_silent_seconds", "Since any till of the branch was heard.", since(each.tally.heard_ms), labels);
  sheet.gauge("sync_lag_seconds", "How far behind now the branch's past is complete here; 300 is as good as it gets.",
              since(each.complete_ms), labels);
  sheet.gauge("branch_lease_term", "The highest term of an exclusive host; a rise is a failover.",
              n(each.lease.term.value), labels);
  for (const auto& [kind, count] : each.tally.waiting) {
    Sheet::Labels with = labels;
    with.emplace_back("kind", kind);
    sheet.gauge("branch_conflicts_waiting", "Conflicts that nobody has settled, by kind.", n(count), with);
  }
  if (!each.outbox) return;
  sheet.gauge("webhook_backlog_ops", "Accepted ops that the webhook does not have yet.", n(each.outbox->backlog()),
              labels);
  sheet.gauge("webhook_failing_seconds", "For how long deliveries have failed.", since(each.outbox->failing_since_ms),
              labels);
  sheet.gauge("webhook_set_aside", "Deliveries that the webhook refused for good.", n(each.outbox->set_aside), labels);
}

}  // namespace

Result<std::string> cloud_metrics(CloudRuntime& cloud, const std::string& tenant) {
  struct Seen {
    CloudStatus status;
    Refusals refusals;
    std::map<std::string, std::string> tenants;
    std::vector<BranchKey> shops;
  };
  const Seen seen = cloud.ask([&] {
    Seen out{cloud.core().status(), cloud.core().refusals(), {}, {}};
    for (const auto& [shop, roster] : cloud.core().rosters())
      out.tenants[shop.tenant] = roster.tenant, out.shops.push_back(shop);
    return out;
  });
  std::vector<BranchReport> fleet;
  auto read = cloud.with_database([&](CloudStore& store) {
    return store.read(
        [&](CloudTxn& txn) -> Result<void> { return fleet = read_fleet(txn, tenant, seen.shops), Result<void>(); });
  });
  if (!read) return tl::unexpected(read.error());
  auto n = [](auto value) { return static_cast<double>(value); };
  auto name = [&](const std::string& id) {
    const auto it = seen.tenants.find(id);
    return it == seen.tenants.end() ? id.substr(0, 16) : it->second;
  };
  Sheet sheet;
  sheet.gauge("cloud_connections", "Tills and people that are connected to this process.", n(seen.status.connections));
  sheet.counter("cloud_ops_total", "Ops that this process took since its start.", n(seen.status.counters.ops));
  sheet.counter("cloud_jobs_total", "Transactions of this process since its start.", n(seen.status.counters.jobs));
  sheet.counter("cloud_duplicates_total", "Duplicates that this process closed.", n(seen.status.counters.duplicates));
  sheet.counter("cloud_conflicts_total", "Conflicts that this process raised.", n(seen.status.counters.conflicts));
  for (const auto& [of, count] : seen.refusals.counts()) {
    if (!tenant.empty() && of.first.tenant != tenant) continue;
    sheet.counter(
        "refused_total", "What this process refused, by branch and reason.", n(count),
        {{"tenant", name(of.first.tenant)}, {"branch", of.first.branch.text}, {"reason", name_of(of.second)}});
  }
  const std::int64_t now_ms = read_clock().wall_ms;
  for (const BranchReport& each : fleet) add_branch(sheet, each, name(each.shop.tenant), now_ms);
  return sheet.text();
}

}  // namespace tillsync
