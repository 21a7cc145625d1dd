// tillsync demo: the whole promise on one machine, in under a minute.
#include "tools/demo/demo.hpp"

#include "tools/cli/cli.hpp"

namespace tillsync::cli {

void add_demo(CLI::App& app) {
  auto a = std::make_shared<demo::DemoArguments>();
  CLI::App* c = app.add_subcommand(
      "demo",
      "Deal a file's sales over some tills, cut the cloud off, kill the host, bring both back, and reconcile.\n"
      "Example: tillsync demo --sales sales.csv --tills 4 --report report.json");
  c->add_option("--sales", a->sales, "A CSV file (a week of a small shop when left out)");
  c->add_option("--tills", a->tills, "How many tills, 1 to 32")->capture_default_str();
  c->add_option("--report", a->report, "Write the figures to this JSON file");
  c->add_option("--store", a->store,
                "Where the cloud keeps its record: postgresql://USER@HOST:PORT/DATABASE, or postgresql alone for the "
                "server that PGHOST names; LMDB when left out");
  c->add_option("--column", a->columns, "NAME=HEADER for a column that is not recognised");
  c->callback([a] { demo::run_demo(*a); });
}

}  // namespace tillsync::cli
