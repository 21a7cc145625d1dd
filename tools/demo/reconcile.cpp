#include "tools/demo/reconcile.hpp"

#include <iomanip>
#include <sstream>
#include <unordered_map>

#include "storage/base/thousandths.hpp"
#include "tools/client/folder.hpp"

namespace tillsync::demo {

namespace {

Json units(std::int64_t milli) {
  return milli % 1000 == 0 ? Json(milli / 1000) : Json(static_cast<double>(milli) / 1000.0);
}

std::uint64_t stock_differences(const api::Stock& stock, const sales::SalesFile& file) {
  std::uint64_t wrong = 0;
  for (const auto& [sku, sold] : file.sold) wrong += (stock.contains(sku) ? stock.at(sku) : 0) != -sold ? 1 : 0;
  for (const auto& [sku, milli] : stock) wrong += file.sold.contains(sku) ? 0 : 1;
  return wrong;
}

// One history as the cloud holds it: gapless numbers, rising clocks.
std::uint64_t chain_violations(const std::vector<api::OpView>& ops) {
  std::uint64_t wrong = 0;
  for (std::size_t i = 0; i < ops.size(); ++i) {
    wrong += ops[i].seq.value != i + 1 ? 1 : 0;
    if (i > 0) wrong += ops[i].hlc <= ops[i - 1].hlc ? 1 : 0;
  }
  return wrong;
}

}  // namespace

bool stock_settled(Process& till, const sales::SalesFile& file) {
  return stock_differences(till.ask(api::StockRequest{}), file) == 0;
}

void reconcile(Fleet& fleet, const sales::SalesFile& file, const std::vector<std::vector<std::string>>& dealt,
               Report& report) {
  std::map<std::pair<std::string, std::uint64_t>, std::vector<api::OpView>> chains;
  std::unordered_map<std::string, std::uint64_t> effects;                                // key -> times it took effect
  std::unordered_map<std::string, std::unordered_map<std::string, std::uint64_t>> when;  // till -> key -> place
  client::Folder cloud(fleet.cloud().folder());
  client::all_ops(cloud, "demo", [&](const api::OpView& op) {
    ++report.ops_in_cloud;
    chains[{op.till, op.incarnation.value}].push_back(op);
    if (op.effect != OpEffect::applied || !op.key.starts_with("invoice/")) return;
    ++effects[op.key];
    when[op.till].try_emplace(op.key, op.hlc.value);
    const std::int64_t sign = op.kind == "refund" ? -1 : 1;
    for (const Line& line : op.lines.value_or(std::vector<Line>{}))
      report.units_in_cloud_milli += sign * line.quantity.milli;
  });
  for (const auto& [id, ops] : chains) report.order_violations += chain_violations(ops);
  for (std::size_t t = 0; t < dealt.size(); ++t) {
    std::uint64_t before = 0;
    for (const std::string& key : dealt[t]) {
      const auto found = effects.find(key);
      report.lost += found == effects.end() ? 1 : 0;
      report.duplicated += found != effects.end() && found->second > 1 ? 1 : 0;
      const auto& places = when[fleet.till(t).name()];
      const auto at = places.find(key);
      if (at == places.end()) continue;
      report.order_violations += at->second <= before ? 1 : 0;
      before = at->second;
    }
  }
  report.stock_mismatches = stock_differences(client::require(cloud.ask(api::StockRequest{{"demo"}})), file);
  for (std::size_t t = 0; t < fleet.tills(); ++t) {
    report.stock_mismatches += stock_differences(fleet.till(t).ask(api::StockRequest{}), file);
  }
  for (const api::ConflictView& conflict : client::require(cloud.ask(api::ConflictsRequest{{"demo"}})))
    report.conflicts_open += conflict.open ? 1 : 0;
}

Json Report::json() const {
  return {{"sales_in", sales_in},
          {"lines_in", lines_in},
          {"rows_left_out", rows_left_out},
          {"ops_recorded", ops_recorded},
          {"ops_in_cloud", ops_in_cloud},
          {"lost", lost},
          {"duplicated", duplicated},
          {"order_violations", order_violations},
          {"stock_mismatches", stock_mismatches},
          {"conflicts_open", conflicts_open},
          {"host_failovers", host_failovers},
          {"failover_ms", failover_ms},
          {"drain_ms", drain_ms},
          {"units_in", units(units_in_milli)},
          {"units_in_cloud", units(units_in_cloud_milli)},
          {"skus", skus}};
}

std::string Report::table() const {
  std::ostringstream out;
  auto row = [&](const char* what, const std::string& value, const char* note = "") {
    out << "  " << std::left << std::setw(22) << what << std::right << std::setw(12) << value << "  " << note << '\n';
  };
  row("invoices in", std::to_string(sales_in));
  row("lines in", std::to_string(lines_in));
  if (rows_left_out > 0) row("rows left out", std::to_string(rows_left_out), "could not be read; listed above");
  row("ops recorded", std::to_string(ops_recorded));
  row("ops in the cloud", std::to_string(ops_in_cloud));
  row("units in", thousandths(units_in_milli), "sold minus refunded");
  row("units in the cloud", thousandths(units_in_cloud_milli));
  row("products", std::to_string(skus));
  out << '\n';
  row("lost", std::to_string(lost));
  row("doubled", std::to_string(duplicated));
  row("out of order", std::to_string(order_violations));
  row("stock mismatches", std::to_string(stock_mismatches), "cloud and every till");
  row("conflicts open", std::to_string(conflicts_open));
  out << '\n';
  row("host failovers", std::to_string(host_failovers));
  row("failover", std::to_string(failover_ms) + " ms", "from the kill to the next host");
  row("drain", std::to_string(drain_ms) + " ms", "from the cloud's return until all was quiet");
  return out.str();
}

}  // namespace tillsync::demo
