// tillsync backup, restore: a cloud's record, as of then; what came since comes back from the tills.
#include <chrono>
#include <filesystem>
#include <iostream>

#include "engine/cloud/reset_cloud.hpp"
#include "tools/cli/cli.hpp"
#include "transport/base/settings.hpp"
#include "transport/cloud/cloud_settings.hpp"

namespace tillsync::cli {

namespace fs = std::filesystem;

namespace {

constexpr const char* kFiles[] = {"identity.key", "cloud.toml", "policies.toml"};

void copy_files(const std::string& from, const std::string& to) {
  for (const char* name : kFiles) {
    if (!file_exists(from + "/" + name)) continue;
    fs::copy_file(from + "/" + name, to + "/" + name);  // with its permissions
  }
}

void make_empty(const std::string& folder) {
  if (fs::exists(folder) && !fs::is_empty(folder)) throw Failure{folder + " is not empty: name a new folder"};
  fs::create_directories(folder);
  fs::permissions(folder, fs::perms::owner_all);
}

void backup(const std::string& data, const std::string& to) {
  Folder folder(data);
  if (!folder.is_cloud())
    throw Failure{"a till needs no backup: its sales are in the cloud, and come back from there (docs/runbook.md)"};
  make_empty(to);
  const bool lmdb = require(load_cloud_settings(data)).store.empty();
  if (lmdb) {
    fs::create_directories(to + "/db");
    require(folder.ask(api::BackupRequest{fs::absolute(to + "/db").string()}));
  }
  copy_files(data, to);
  std::cout << "copied to " << to << '\n';
  if (!lmdb) std::cout << "The record itself lies in PostgreSQL: copy it with pg_dump -Fc.\n";
}

void restore(const std::string& data, const std::string& from) {
  if (!from.empty()) {
    if (!file_exists(from + "/identity.key")) throw Failure{from + " is no backup of a cloud: check the path"};
    make_empty(data);
    copy_files(from, data);
    if (fs::exists(from + "/db")) fs::copy(from + "/db", data + "/db", fs::copy_options::recursive);
  }
  const auto folder = require(DataFolder::lock(data, false));
  const std::string url = require(load_cloud_settings(data)).store;
  const std::uint64_t generation = fresh_generation();
  auto store = require(url.empty() ? open_lmdb_cloud(data + "/db", generation) : open_postgres_cloud(url, generation));
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::int64_t wall_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  require(reset_cloud(*store, generation, wall_ms));
  std::cout << "The record begins anew: start the cloud. The tills fetch its rows again, and send what it lacks.\n"
               "Settings and headquarters' rows are as of the backup: send those of today again.\n";
}

}  // namespace

void add_backup(CLI::App& app) {
  auto data = std::make_shared<std::string>(), other = std::make_shared<std::string>();
  CLI::App* save =
      app.add_subcommand("backup",
                         "Copy a cloud's record while it runs; one in PostgreSQL is copied by pg_dump.\n"
                         "Example: tillsync backup --data /var/lib/tillsync-cloud --to /backup/2026-11-22");
  save->add_option("--data", *data, "The cloud's data folder")->required();
  save->add_option("--to", *other, "A new folder")->required();
  save->callback([data, other] { backup(*data, *other); });
  CLI::App* back = app.add_subcommand(
      "restore",
      "Make a cloud of a backup. After pg_restore, with every cloud process stopped: without --from.\n"
      "Example: tillsync restore --data /var/lib/tillsync-cloud --from /backup/2026-11-22");
  back->add_option("--data", *data, "The cloud's data folder: a new one, with --from")->required();
  back->add_option("--from", *other, "What 'tillsync backup' made");
  back->callback([data, other] { restore(*data, *other); });
}

}  // namespace tillsync::cli
