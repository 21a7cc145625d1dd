// tillsync import: sales from CSV to a till, rows to the cloud.
#include <iostream>

#include "tools/cli/cli.hpp"
#include "tools/client/import_rows.hpp"
#include "tools/client/sales_input.hpp"

namespace tillsync::cli {

namespace {

struct DataArguments {
  std::string data, branch, group, kind, file, on_bad = "skip";
  std::vector<std::string> columns;
};

void import_sales(const DataArguments& a) {
  const sales::SalesFile file = client::read_sales_file(a.file, a.columns);
  Folder folder(a.data);
  if (folder.is_cloud())
    throw Failure{"sales are recorded at a till: name a till's data folder, or import rows with --kind product"};
  Progress progress("recording");
  for (std::size_t i = 0; i < file.ops.size(); ++i) {
    require(folder.ask(api::RecordRequest{{}, file.ops[i]}));
    progress.at(i + 1, file.ops.size());
  }
  std::cout << file.ops.size() << " ops of " << file.invoices << " invoices recorded, " << file.bad_rows
            << " rows left out\n";
}

}  // namespace

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
    client::import_rows({a->data, a->branch, a->group, a->kind, a->file, a->on_bad == "stop"});
  });
}

}  // namespace tillsync::cli
