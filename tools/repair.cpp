// tillsync journal, recover, doctor: looking after a data folder.
#include <iostream>

#include "storage/damage_check.hpp"
#include "storage/data_folder.hpp"
#include "storage/journal.hpp"
#include "storage/till_store.hpp"
#include "tools/cli.hpp"
#include "transport/recovery.hpp"

namespace tillsync::cli {

namespace {

constexpr std::uint64_t kLowDisk = 200ULL << 20;

// True when all is well.
bool report_journal(const std::string& data) {
  auto disk = posix_disk();
  const JournalReport report = require(Journal::verify(*disk, data + "/journal", [](JournalPosition, ByteView) {}));
  std::cout << "journal: " << report.ops << " ops in " << report.batches << " batches, up to segment "
            << report.end.segment << ", offset " << report.end.offset << '\n';
  bool sound = true;
  for (const JournalDamage& d : report.damage) {
    sound = sound && !d.behind_flush;
    std::cout << "journal: " << (d.behind_flush ? "DAMAGED" : "an unfinished end") << " at segment " << d.at.segment
              << ", offset " << d.at.offset << ", " << d.bytes << " bytes"
              << (d.behind_flush ? ": restart the till; it fetches back what others hold"
                                 : ": the next start sets it aside")
              << '\n';
  }
  return sound;
}

void verify(const std::string& data) {
  if (!report_journal(data))
    throw Failure{"the journal is damaged: keep this disk, replace it soon, and see docs/runbook.md"};
  std::cout << "journal: sound\n";
}

void recover(const std::string& data) {
  const Recovery done = require(recover_till(data));
  if (!done.set_aside.empty()) std::cout << "the old database was moved to " << done.set_aside << '\n';
  std::cout << "rebuilt from " << done.ops
            << " ops of the journal; the rest comes back from the host and the cloud: start the till\n";
}

void doctor(const std::string& data) {
  bool sound = report_journal(data);
  auto database = check_in_child([&]() -> Result<void> {
    auto store = TillStore::open(data + "/db");
    return store ? (*store)->verify() : tl::unexpected(store.error());
  });
  std::cout << "database: " << (database ? "sound" : database.error().message) << '\n';
  const std::uint64_t space = free_bytes(data);
  std::cout << "disk: " << (space >> 20) << " MiB free"
            << (space < kLowDisk ? ": LOW, free some before selling stops" : "") << '\n';
  sound = sound && database && space >= kLowDisk;
  if (!sound) throw Failure{"something needs attention: see the lines above and docs/runbook.md"};
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
  with_data(app.add_subcommand(
                "doctor", "Check journal, database and disk.\nExample: tillsync doctor --data /var/lib/shop/till-1"))
      ->callback([data] { doctor(*data); });
}

}  // namespace tillsync::cli
