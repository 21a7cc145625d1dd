// tillsync export: what a till or the cloud holds, as JSON lines, or as CSV that `tillsync import` reads again.
#include <array>
#include <ctime>
#include <fstream>
#include <iostream>

#include "storage/base/thousandths.hpp"
#include "tools/cli/cli.hpp"

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
void write_csv(std::ostream& out, const Json& op) {
  const std::string kind = op.value("kind", "");
  const std::int64_t sign = kind == "refund" ? -1 : 1;
  for (const Json& line : op.value("lines", Json::array())) {
    const auto text = [&](const Json& of, const char* name) { return quoted(of.value(name, "")); };
    out << text(op, "branch") << ',' << text(op, "till") << ',' << op["incarnation"] << ',' << op["seq"] << ',' << kind
        << ',' << op.value("effect", "applied") << ',' << text(op, "invoice") << ','
        << iso_time(op.value("at_ms", std::int64_t{0})) << ',' << text(line, "sku") << ',' << text(line, "name") << ','
        << thousandths(sign * line.value("milli", std::int64_t{0})) << ','
        << money(line.value("unit_price", std::int64_t{0})) << ',' << text(op, "currency") << ','
        << text(op, "customer") << ',' << text(op, "cashier") << ',' << text(op, "reference") << ',' << text(op, "key")
        << '\n';
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
  all_ops(folder, a.branch, [&](const Json& op) {
    if (csv) {
      write_csv(out, op);
    } else {
      out << json_text(op) << '\n';
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
