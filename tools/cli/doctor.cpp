// tillsync doctor: is this machine fit to sell, or to serve? Each line says what to do.
#include <filesystem>
#include <iomanip>
#include <iostream>

#include "storage/disk/damage_check.hpp"
#include "storage/lmdb/till_store.hpp"
#include "storage/model/cloud_store.hpp"
#include "tools/cli/cli.hpp"
#include "tools/client/journal_report.hpp"
#include "transport/base/settings.hpp"
#include "transport/cloud/cloud_settings.hpp"
#include "transport/net/checks.hpp"

namespace tillsync::cli {

namespace {

Finding check_till_database(const std::string& data) {
  const auto checked = check_in_child([&]() -> Result<void> {
    auto store = TillStore::open(data + "/db");
    return store ? (*store)->verify() : tl::unexpected(store.error());
  });
  return {"database", checked.has_value(), checked ? "sound" : checked.error().message};
}

Finding check_cloud_database(const std::string& data, const std::string& url, bool running) {
  if (running) return {"database", true, "in use by the cloud that runs"};
  if (url.empty() && !std::filesystem::exists(data + "/db"))
    return {"database", true, "none yet: it is made at the first start"};
  const auto checked = check_in_child([&]() -> Result<void> {
    auto store = url.empty() ? open_lmdb_cloud(data + "/db", 1) : open_postgres_cloud(url, 1);
    if (!store) return tl::unexpected(store.error());
    return (*store)->read([](CloudTxn& txn) -> Result<void> { return (void)txn.shops(), Result<void>(); });
  });
  return {"database", checked.has_value(),
          checked ? (url.empty() ? "LMDB, sound" : "PostgreSQL answers, its tables fit") : checked.error().message};
}

Finding clock_offset_finding(std::int64_t offset_ms) {
  const bool good = std::abs(offset_ms) < 60'000;
  return {"time", good,
          offset_ms == 0
              ? "as the cloud's"
              : "off by " + age(std::abs(offset_ms)) +
                    (good ? ", corrected by the cloud's" : ": sales are dated by the cloud's time; set the clock")};
}

std::vector<Finding> look_at_till(const std::string& data) {
  std::vector<Finding> out{check_space(data), check_permissions(data), check_clock()};
  const auto client = ControlClient::connect(data);
  const Settings settings = require(Settings::parse(require(read_file(data + "/till.toml")), data + "/till.toml"));
  out.push_back(client::journal_finding(data));
  out.push_back(check_till_database(data));
  out.push_back(check_port(settings.listen, client.has_value()));
  if (settings.mdns) out.push_back(check_multicast(settings.interface));
  if (settings.cloud) out.push_back(check_reach("cloud", *settings.cloud));
  for (const auto& [name, address] : settings.peers) out.push_back(check_reach(name.text, address));
  if (!client) return out;
  const auto status = require(Folder(data).ask(api::StatusRequest{}));
  out.push_back(clock_offset_finding(status.clock_offset_ms));
  if (status.roster_version == 0)
    out.push_back({"roster", false, "this till is not paired yet: 'tillsync pair' (docs/running-a-shop.md)"});
  return out;
}

std::vector<Finding> look_at_cloud(const std::string& data) {
  std::vector<Finding> out{check_space(data), check_permissions(data), check_clock()};
  const bool running = ControlClient::connect(data).has_value();
  const CloudSettings settings = require(load_cloud_settings(data));
  out.push_back(check_cloud_database(data, settings.store, running));
  if (running) {
    const auto status = require(Folder(data).ask(api::CloudStatusRequest{}));
    out.push_back(
        {"port", true,
         std::to_string(status.port) + " is listened on, " + std::to_string(status.connections) + " connections"});
  } else {
    out.push_back(check_port(settings.listen, false));
  }
  if (settings.http.listen) out.push_back(check_port(*settings.http.listen, running));
  for (const std::string& file : {settings.http.certificate, settings.http.private_key}) {
    if (!file.empty() && !file_exists(file))
      out.push_back({"http", false, file + " is missing: check [http] in cloud.toml"});
  }
  if (!running) return out;
  Folder folder(data);
  for (const api::FleetBranch& branch : require(folder.ask(api::FleetRequest{}))) {
    if (!branch.ok) out.push_back({branch.branch, true, branch.matter});
  }
  return out;
}

void doctor(const std::string& data) {
  std::vector<Finding> found = client::is_cloud_folder(data) ? look_at_cloud(data) : look_at_till(data);
  found.push_back(check_versions());
  bool sound = true;
  for (const Finding& each : found) {
    std::cout << (each.good ? "  " : "! ") << std::left << std::setw(13) << each.what << each.words << '\n';
    sound = sound && each.good;
  }
  if (!sound) throw Failure{"something needs attention: see the lines with '!' and docs/runbook.md"};
}

}  // namespace

void add_doctor(CLI::App& app) {
  auto data = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("doctor",
                         "Check a till's or a cloud's machine: clock, disk, permissions, ports, multicast, "
                         "database, versions.\nExample: tillsync doctor --data /var/lib/shop/till-1");
  command->add_option("--data", *data, "The data folder")->required()->check(CLI::ExistingDirectory);
  command->callback([data] { doctor(*data); });
}

}  // namespace tillsync::cli
