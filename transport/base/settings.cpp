#include "transport/base/settings.hpp"

#include <sodium.h>
#include <sys/stat.h>

#include <filesystem>
#include <sstream>

#include "transport/base/settings_edit.hpp"
#include "transport/base/settings_toml.hpp"

namespace tillsync {

namespace {

Result<void> read_peers(const toml::table& table, Settings& out) {
  const toml::array* peers = table["peers"].as_array();
  if (peers == nullptr) return {};
  for (const toml::node& each : *peers) {
    auto peer = parse_peer(each.value_or(std::string()));
    if (!peer) return tl::unexpected(peer.error());
    out.peers.push_back(std::move(*peer));
  }
  return {};
}

constexpr const char* kTillSettings[] = {
    "branch",           "till", "listen", "cloud", "peers", "mdns", "interface", "log", "http", "keep_sales_days",
    "keep_journal_days"};

Result<int> read_days(const toml::table& table, const char* name, int otherwise) {
  constexpr int kMost = 36'500;
  if (!table.contains(name)) return otherwise;
  const auto days = table[name].value_exact<std::int64_t>();
  if (!days || *days < 0 || *days > kMost)
    return fail(ErrorKind::invalid, std::string(name) + ": write a number of days, 0 to 36500");
  return static_cast<int>(*days);
}

Result<Settings> read_table(const toml::table& table) {
  if (auto known = only_known(table, kTillSettings, ""); !known) return tl::unexpected(known.error());
  auto branch = BranchId::parse(table["branch"].value_or(std::string()));
  if (!branch) return fail(ErrorKind::invalid, "branch: " + branch.error().message);
  auto till = TillId::parse(table["till"].value_or(std::string()));
  if (!till) return fail(ErrorKind::invalid, "till: " + till.error().message);
  Settings out{.branch = std::move(*branch), .till = std::move(*till)};
  auto listen = read_address(table, "listen");
  if (!listen) return tl::unexpected(listen.error());
  if (*listen) out.listen = std::move(**listen);
  auto cloud = read_address(table, "cloud");
  if (!cloud) return tl::unexpected(cloud.error());
  out.cloud = std::move(*cloud);
  out.mdns = table["mdns"].value_or(true);
  out.interface = table["interface"].value_or(std::string());
  if (auto peers = read_peers(table, out); !peers) return tl::unexpected(peers.error());
  const auto sales = read_days(table, "keep_sales_days", out.keep_sales_days);
  const auto journal = read_days(table, "keep_journal_days", out.keep_journal_days);
  if (!sales || !journal) return tl::unexpected((sales ? journal : sales).error());
  out.keep_sales_days = *sales, out.keep_journal_days = *journal;
  auto json = read_log(table);
  if (!json) return tl::unexpected(json.error());
  out.json_log = *json;
  auto http = read_http(table);
  if (!http) return tl::unexpected(http.error());
  out.http = std::move(*http);
  return out;
}

}  // namespace

Result<std::pair<TillId, Address>> parse_peer(const std::string& text) {
  const std::size_t at = text.find('@');
  if (at == std::string::npos) {
    return fail(ErrorKind::invalid,
                "'" + text + "' is not a peer: write NAME@HOST:PORT, such as till-2@192.168.1.12:7700");
  }
  auto name = TillId::parse(text.substr(0, at));
  if (!name) return tl::unexpected(name.error());
  auto address = Address::parse(text.substr(at + 1));
  if (!address) return tl::unexpected(address.error());
  return std::pair(std::move(*name), std::move(*address));
}

std::string Settings::toml() const {
  std::ostringstream out;
  out << "# This till. Changes take effect at its next start.\n"
      << "branch = " << quoted(branch.text) << "\ntill = " << quoted(till.text)
      << "\nlisten = " << quoted(listen.text()) << "\n\n# The cloud's address; leave it out for a branch on its own.\n"
      << (cloud ? "cloud = " + quoted(cloud->text()) : "# cloud = \"cloud.example.org:7800\"") << "\n\n"
      << "# Tills to try besides those that mDNS finds, for networks that block multicast.\npeers = [";
  for (const auto& [name, address] : peers) out << quoted(name.text + "@" + address.text()) << ", ";
  out << "]\n\n# mDNS, and the one network interface to use it on (empty: all but loopback).\nmdns = "
      << (mdns ? "true" : "false") << "\ninterface = " << quoted(interface)
      << "\n\n# How many days this till keeps what the cloud holds: in its database, for enquiries and to give a "
         "cloud\n"
         "# that was restored back what it lost; and in its journal.\nkeep_sales_days = "
      << keep_sales_days << "\nkeep_journal_days = " << keep_journal_days
      << "\n\n# Lines of the log: text, or json.\nlog = " << (json_log ? "\"json\"" : "\"text\"")
      << "\n\n# Metrics, liveness and readiness for those who watch over many tills.\n"
      << (http.listen ? "" : "# ") << "[http]\n"
      << (http.listen ? "listen = " + quoted(http.listen->text()) : "# listen = \"127.0.0.1:7780\"") << "\n";
  return out.str();
}

Result<Settings> Settings::parse(const std::string& text, const std::string& where) {
  auto table = parse_toml(text, where);
  if (!table) return tl::unexpected(table.error());
  auto read = read_table(*table);
  if (!read) return fail(ErrorKind::invalid, where + ": " + read.error().message);
  return read;
}

Result<Settings> load_settings(const DataFolder& folder) {
  auto text = read_file(folder.file("till.toml"));
  if (!text) {
    return fail(ErrorKind::not_found, "no till lives in " + folder.path() +
                                          ": make one with 'tillsync till init --data " + folder.path() +
                                          " --branch BRANCH --till NAME'");
  }
  return Settings::parse(*text, folder.file("till.toml"));
}

Result<Settings> prepare_settings(const DataFolder& folder, const std::string& branch, const std::string& till) {
  if (file_exists(folder.file("till.toml"))) {
    auto settings = load_settings(folder);
    if (!settings) return settings;
    const bool other =
        (!branch.empty() && branch != settings->branch.text) || (!till.empty() && till != settings->till.text);
    if (other) {
      return fail(ErrorKind::invalid, "the folder " + folder.path() + " belongs to " + settings->till.text +
                                          " of branch " + settings->branch.text + ": use that name, or another folder");
    }
    return settings;
  }
  if (branch.empty() || till.empty()) return load_settings(folder);
  auto branch_id = BranchId::parse(branch);
  if (!branch_id) return tl::unexpected(branch_id.error());
  auto till_id = TillId::parse(till);
  if (!till_id) return tl::unexpected(till_id.error());
  const Settings fresh{.branch = std::move(*branch_id), .till = std::move(*till_id)};
  if (auto written = replace_file(folder.file("till.toml"), fresh.toml()); !written)
    return tl::unexpected(written.error());
  return fresh;
}

Result<Policies> load_policies(const DataFolder& folder) {
  const std::string path = folder.file("policies.toml");
  if (!file_exists(path)) return Policies{};
  auto text = read_file(path);
  return text ? Policies::parse(*text, path) : tl::unexpected(text.error());
}

SecretKey fresh_secret() {
  std::array<std::uint8_t, 32> seed;
  randombytes_buf(seed.data(), seed.size());
  SecretKey key = SecretKey::from_seed(seed);
  sodium_memzero(seed.data(), seed.size());
  return key;
}

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  randombytes_buf(&seed, sizeof seed);
  return seed;
}

std::uint64_t fresh_generation() {
  return random_seed() >> 1 | 1;  // PostgreSQL's bigint has a sign, and 0 is nobody's
}

Result<SecretKey> load_identity(const DataFolder& folder, bool create) {
  const std::string path = folder.file("identity.key");
  if (!file_exists(path)) {
    if (!create)
      return fail(ErrorKind::not_found,
                  "no identity.key in " + folder.path() + ": it was made with the folder; restore it");
    const SecretKey key = fresh_secret();
    const mode_t before = ::umask(0077);
    auto written = replace_file(path, key.seed_hex() + "\n");
    ::umask(before);
    if (!written) return tl::unexpected(written.error());
    return key;
  }
  auto text = read_file(path);
  if (!text) return tl::unexpected(text.error());
  while (!text->empty() && text->back() == '\n') text->pop_back();
  auto key = SecretKey::from_hex(*text);
  if (!key) return fail(ErrorKind::damaged, path + " is damaged: restore it from a backup, or pair this till anew");
  return key;
}

Result<std::optional<Roster>> load_roster(const std::string& path) {
  if (!file_exists(path)) return std::optional<Roster>();
  auto bytes = read_file(path);
  if (!bytes) return tl::unexpected(bytes.error());
  auto roster = Roster::decode(*bytes);
  if (!roster)
    return fail(ErrorKind::damaged, path + " is damaged or not signed by its tenant: fetch it again from another till");
  return roster;
}

}  // namespace tillsync
