// tillsync import: sales from CSV to a till, rows to the cloud.
#include <fstream>
#include <iostream>

#include "tools/cli/cli.hpp"
#include "tools/client/import_rows.hpp"
#include "tools/client/sales/sales_file.hpp"

namespace tillsync::cli {

namespace {

struct DataArguments {
  std::string data, branch, group, kind, file, on_bad = "skip";
  std::vector<std::string> columns;
};

Json op_json(const OpDraft& draft) {
  Json lines = Json::array();
  for (const Line& l : draft.document.lines)
    lines.push_back({{"sku", l.sku}, {"milli", l.quantity.milli}, {"unit_price", l.unit_price}, {"name", l.name}});
  const Document& d = draft.document;
  return {{"kind", name_of(draft.kind)}, {"key", draft.key},       {"cashier", draft.cashier}, {"invoice", d.invoice},
          {"currency", d.currency},      {"customer", d.customer}, {"fields", d.fields},       {"lines", lines}};
}

void import_sales(const DataArguments& a) {
  std::ifstream in(a.file, std::ios::binary);
  if (!in) throw Failure{"can't read " + a.file + ": check the path"};
  const sales::SalesFile file = require(sales::read_sales(in, column_names(a.columns)));
  report_bad_rows(file);
  Folder folder(a.data);
  if (folder.is_cloud())
    throw Failure{"sales are recorded at a till: name a till's data folder, or import rows with --kind product"};
  Progress progress("recording");
  for (std::size_t i = 0; i < file.ops.size(); ++i) {
    folder.ask({{"do", "record"}, {"op", op_json(file.ops[i])}});
    progress.at(i + 1, file.ops.size());
  }
  std::cout << file.ops.size() << " ops of " << file.invoices << " invoices recorded, " << file.bad_rows
            << " rows left out\n";
}

}  // namespace

std::map<std::string, std::string> column_names(const std::vector<std::string>& options) {
  std::map<std::string, std::string> out;
  for (const std::string& option : options) {
    const std::size_t at = option.find('=');
    if (at == std::string::npos || at == 0)
      throw Failure{"'" + option + "' is no column: write NAME=HEADER, such as sku=Artikel"};
    out[option.substr(0, at)] = option.substr(at + 1);
  }
  return out;
}

void report_bad_rows(const sales::SalesFile& file) {
  constexpr std::size_t kShown = 20;
  for (std::size_t i = 0; i < file.bad.size() && i < kShown; ++i) {
    std::cerr << "line " << file.bad[i].line << ": " << file.bad[i].why << "; left out\n";
  }
  if (file.bad_rows > kShown)
    std::cerr << "and " << file.bad_rows - kShown << " more rows that can't be read; left out\n";
}

void add_data(CLI::App& app) {
  auto a = std::make_shared<DataArguments>();
  CLI::App* in =
      app.add_subcommand("import",
                         "Record a CSV file's sales at a till, or give the cloud rows from a file of JSON lines.\n"
                         "Example: tillsync import --data /var/lib/shop/till-1 sales.csv\n"
                         "Example: tillsync import --data /var/lib/tillsync-cloud --kind product products.ndjson");
  in->add_option("file", a->file, "The CSV file, or with --kind one JSON object with an \"id\" a line")->required();
  in->add_option("--data", a->data, "The data folder")->required();
  in->add_option("--kind", a->kind, "Kind of the rows: product, price, tax, customer ...");
  in->add_option("--group", a->group, "With --kind: rows that stand over the tenant's in this group of branches");
  in->add_option("--branch", a->branch, "One of the tenant's branches, where the cloud serves several");
  in->add_option("--column", a->columns, "NAME=HEADER for a CSV column that is not recognised");
  in->add_option("--on-bad", a->on_bad, "With --kind, a line that can't be read: skip it, or stop before it")
      ->check(CLI::IsMember({"skip", "stop"}))
      ->capture_default_str();
  in->callback([a] {
    if (a->kind.empty()) return import_sales(*a);
    import_rows({a->data, a->branch, a->group, a->kind, a->file, a->on_bad == "stop"});
  });
}

}  // namespace tillsync::cli
