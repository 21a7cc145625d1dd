#include "transport/settings.hpp"

#include <sodium.h>
#include <sys/stat.h>
#include <toml++/toml.h>

#include <filesystem>
#include <sstream>

namespace tillsync {

namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

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

Result<Settings> read_table(const toml::table& table) {
  auto branch = BranchId::parse(table["branch"].value_or(std::string()));
  if (!branch) return fail(ErrorKind::invalid, "branch: " + branch.error().message);
  auto till = TillId::parse(table["till"].value_or(std::string()));
  if (!till) return fail(ErrorKind::invalid, "till: " + till.error().message);
  Settings out{std::move(*branch), std::move(*till), {"0.0.0.0", 7700}, {}, {}, true, {}};
  if (auto text = table["listen"].value<std::string>()) {
    auto address = Address::parse(*text);
    if (!address) return fail(ErrorKind::invalid, "listen: " + address.error().message);
    out.listen = std::move(*address);
  }
  if (auto text = table["cloud"].value<std::string>(); text && !text->empty()) {
    auto address = Address::parse(*text);
    if (!address) return fail(ErrorKind::invalid, "cloud: " + address.error().message);
    out.cloud = std::move(*address);
  }
  out.mdns = table["mdns"].value_or(true);
  out.interface = table["interface"].value_or(std::string());
  if (auto peers = read_peers(table, out); !peers) return tl::unexpected(peers.error());
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
      << (mdns ? "true" : "false") << "\ninterface = " << quoted(interface) << "\n";
  return out.str();
}

Result<Settings> Settings::parse(const std::string& text, const std::string& where) {
  try {
    auto read = read_table(toml::parse(text));
    if (!read) return fail(ErrorKind::invalid, where + ": " + read.error().message);
    return read;
  } catch (const toml::parse_error& error) {
    return fail(ErrorKind::invalid, where + ", line " + std::to_string(error.source().begin.line) + ": " +
                                        std::string(error.description()));
  }
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
  if (exists(folder.file("till.toml"))) {
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
  Settings fresh{std::move(*branch_id), std::move(*till_id), {"0.0.0.0", 7700}, {}, {}, true, {}};
  if (auto written = replace_file(folder.file("till.toml"), fresh.toml()); !written)
    return tl::unexpected(written.error());
  return fresh;
}

Result<Policies> load_policies(const DataFolder& folder) {
  const std::string path = folder.file("policies.toml");
  if (!exists(path)) return Policies{};
  auto text = read_file(path);
  return text ? Policies::parse(*text, path) : tl::unexpected(text.error());
}

namespace {

Result<std::string> stored_cloud_store(const std::string& path) {
  if (!exists(path)) return std::string();
  auto text = read_file(path);
  if (!text) return text;
  try {
    return toml::parse(*text)["store"].value_or(std::string());
  } catch (const toml::parse_error& error) {
    return fail(ErrorKind::invalid,
                path + ", line " + std::to_string(error.source().begin.line) + ": " + std::string(error.description()));
  }
}

}  // namespace

Result<std::string> cloud_store(const DataFolder& folder, const std::string& asked) {
  auto stored = stored_cloud_store(folder.file("cloud.toml"));
  if (!stored || asked.empty() || asked == *stored) return stored;
  if (exists(folder.file("db"))) {
    return fail(ErrorKind::refused, "the record of " + folder.path() +
                                        " lies in LMDB, and would not be seen in another store: leave --store out, or "
                                        "make a new folder with this one's identity.key");
  }
  return asked;
}

Result<void> remember_cloud_store(const DataFolder& folder, const std::string& store) {
  const auto stored = stored_cloud_store(folder.file("cloud.toml"));
  if (stored && *stored == store) return {};
  std::ostringstream out;
  out << toml::table{{"store", store}} << '\n';
  const mode_t before = ::umask(0077);  // it may hold a password
  auto written = replace_file(folder.file("cloud.toml"), out.str());
  ::umask(before);
  return written;
}

SecretKey fresh_secret() {
  std::array<std::uint8_t, 32> seed;
  randombytes_buf(seed.data(), seed.size());
  SecretKey key = SecretKey::from_seed(seed);
  sodium_memzero(seed.data(), seed.size());
  return key;
}

Result<SecretKey> load_identity(const DataFolder& folder, bool create) {
  const std::string path = folder.file("identity.key");
  if (!exists(path)) {
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
  if (!exists(path)) return std::optional<Roster>();
  auto bytes = read_file(path);
  if (!bytes) return tl::unexpected(bytes.error());
  auto roster = Roster::decode(*bytes);
  if (!roster)
    return fail(ErrorKind::damaged, path + " is damaged or not signed by its tenant: fetch it again from another till");
  return roster;
}

}  // namespace tillsync
