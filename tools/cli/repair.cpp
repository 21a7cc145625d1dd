// tillsync journal, recover: looking after a till's data folder.
#include <iostream>

#include "tools/cli/cli.hpp"
#include "tools/client/journal_report.hpp"
#include "transport/till/recovery.hpp"

namespace tillsync::cli {

namespace {

void verify(const std::string& data) {
  if (!client::report_journal(data))
    throw Failure{"the journal is damaged: keep this disk, replace it soon, and see docs/runbook.md"};
  std::cout << "journal: sound\n";
}

void recover(const std::string& data) {
  const Recovery done = require(recover_till(data));
  if (!done.set_aside.empty()) std::cout << "the old database was moved to " << done.set_aside << '\n';
  std::cout << "rebuilt from " << done.ops
            << " ops of the journal; the rest comes back from the host and the cloud: start the till\n";
}

}  // namespace

void add_repair(CLI::App& app) {
  auto data = std::make_shared<std::string>();
  auto with_data = [&](CLI::App* command) {
    command->add_option("--data", *data, "The till's data folder")->required()->check(CLI::ExistingDirectory);
    return command;
  };
  CLI::App* journal = app.add_subcommand("journal", "The critical journal.");
  journal->require_subcommand(1);
  with_data(journal->add_subcommand("verify",
                                    "Read the whole journal and check it; changes nothing.\nExample: tillsync journal "
                                    "verify --data /var/lib/shop/till-1"))
      ->callback([data] { verify(*data); });
  with_data(
      app.add_subcommand("recover",
                         "Rebuild a till's database from its journal; the till must not run. Nothing is deleted.\n"
                         "Example: tillsync recover --data /var/lib/shop/till-1"))
      ->callback([data] { recover(*data); });
}

}  // namespace tillsync::cli
