// tillsync export: what a till or the cloud holds, as JSON lines, or as CSV that `tillsync import` reads again.
#include <array>
#include <ctime>
#include <fstream>
#include <iostream>

#include "storage/base/thousandths.hpp"
#include "tools/cli/cli.hpp"
#include "transport/api/views.hpp"

namespace tillsync::cli {

namespace {

struct ExportArguments {
  std::string data, branch, out, format = "ndjson";
};

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + '"';
}

std::string iso_time(std::int64_t ms) {
  const std::time_t seconds = ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &utc);
  return text.data();
}

constexpr const char* kHeader =
    "Branch,Till,Incarnation,Seq,Kind,Effect,InvoiceNo,InvoiceDate,StockCode,Description,Quantity,UnitPrice,Currency,"
    "CustomerID,Cashier,Reference,Key\n";

// A row for each line; an op without any is left out: it sold nothing.
void write_csv(std::ostream& out, const api::OpView& op) {
  const std::int64_t sign = op.kind == "refund" ? -1 : 1;
  const auto text = [](const std::optional<std::string>& of) { return quoted(of.value_or("")); };
  for (const Line& line : op.lines.value_or(std::vector<Line>{})) {
    out << quoted(op.branch) << ',' << quoted(op.till) << ',' << op.incarnation.value << ',' << op.seq.value << ','
        << op.kind << ',' << api::name_of(op.effect.value_or(OpEffect::applied)) << ',' << text(op.invoice) << ','
        << iso_time(op.at_ms) << ',' << quoted(line.sku) << ',' << quoted(line.name) << ','
        << thousandths(sign * line.quantity.milli) << ',' << money(line.unit_price) << ',' << text(op.currency) << ','
        << text(op.customer) << ',' << text(op.cashier) << ',' << text(op.reference) << ',' << quoted(op.key) << '\n';
  }
}

void export_ops(const ExportArguments& a) {
  std::ofstream file;
  if (!a.out.empty()) {
    file.open(a.out, std::ios::binary);
    if (!file) throw Failure{"can't write " + a.out + ": check the path"};
  }
  std::ostream& out = a.out.empty() ? std::cout : file;
  const bool csv = a.format == "csv";
  Folder folder(a.data);
  std::uint64_t n = 0;
  if (csv) out << kHeader;
  client::all_ops(folder, a.branch, [&](const api::OpView& op) {
    if (csv) {
      write_csv(out, op);
    } else {
      out << json_text(api::write(op)) << '\n';
    }
    ++n;
  });
  out.flush();
  if (!out) throw Failure{"the disk is full: the export is not complete; free some space, then try again"};
  if (!a.out.empty()) std::cout << n << " ops written to " << a.out << '\n';
}

}  // namespace

void add_export(CLI::App& app) {
  auto a = std::make_shared<ExportArguments>();
  CLI::App* out =
      app.add_subcommand("export",
                         "Write every op that a till or the cloud holds: one JSON object a line, or CSV with "
                         "a row for each line of a sale.\n"
                         "Example: tillsync export --data /var/lib/shop/till-1 --out ops.ndjson\n"
                         "Example: tillsync export --data /var/lib/tillsync-cloud --format csv --out sales.csv");
  out->add_option("--data", a->data, "The data folder")->required();
  out->add_option("--branch", a->branch, "Which branch, where the cloud serves several");
  out->add_option("--format", a->format, "ndjson or csv")
      ->check(CLI::IsMember({"ndjson", "csv"}))
      ->capture_default_str();
  out->add_option("--out", a->out, "The file (standard output when left out)");
  out->callback([a] { export_ops(*a); });
}

}  // namespace tillsync::cli
