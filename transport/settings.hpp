// A till's folder as its owner sees it: till.toml (who it is, where it listens, whom it knows), identity.key,
// roster.bin; and a cloud's: cloud.toml, identity.key.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tillsync/ids.hpp>
#include <vector>

#include "conflicts/policy.hpp"
#include "engine/cloud/limits.hpp"
#include "lease/roster.hpp"
#include "storage/data_folder.hpp"
#include "transport/links.hpp"

namespace tillsync {

// A process's HTTP: metrics, liveness, readiness, and a cloud's service to headquarters (transport/http/).
struct HttpSettings {
  std::optional<Address> listen;         // none: no HTTP
  std::string certificate, private_key;  // PEM files; without them only on loopback
  std::string metrics_key;               // a till's: what reads its metrics; without one only on loopback
};

struct Settings {
  BranchId branch;
  TillId till;
  Address listen{"0.0.0.0", 7700};
  std::optional<Address> cloud{};
  std::vector<std::pair<TillId, Address>> peers{};  // where multicast is blocked
  bool mdns = true;
  std::string interface {};   // for mDNS; empty for every one but loopback
  int keep_sales_days = 90;   // what the cloud holds already: in the database, for enquiries
  int keep_journal_days = 7;  // likewise: in the journal, the black box
  bool json_log = false;
  HttpSettings http{};

  std::string toml() const;
  // Errors: invalid, naming the line or key that is wrong.
  static Result<Settings> parse(const std::string& toml, const std::string& where);
};

// A peer as people write it: "till-2@192.168.1.12:7700".
Result<std::pair<TillId, Address>> parse_peer(const std::string& text);

Result<Settings> load_settings(const DataFolder& folder);
// Makes the folder's files where they are missing.
Result<Settings> prepare_settings(const DataFolder& folder, const std::string& branch, const std::string& till);

// policies.toml of a till's or a cloud's folder; the defaults where there is none. Errors: invalid, naming the line.
Result<Policies> load_policies(const DataFolder& folder);

// cloud.toml of a cloud's folder; docs/examples/cloud.toml explains each setting.
struct CloudSettings {
  std::string store;  // postgresql://..., or empty for LMDB in the folder
  TillId name{"cloud"};
  Address listen{"0.0.0.0", 7800};
  bool json_log = false;
  HttpSettings http;
  RateLimits limits;

  // Errors: invalid, naming the line or setting that is wrong.
  static Result<CloudSettings> parse(const std::string& toml, const std::string& where);
};
Result<CloudSettings> load_cloud_settings(const std::string& folder);  // the defaults where there is no file

// Where a cloud's record lies: what is asked for, or else what cloud.toml of its folder says: postgresql://..., or
// empty for LMDB in the folder. Errors: refused, when something is asked for and the folder has a record of its own.
Result<std::string> cloud_store(const DataFolder& folder, const std::string& asked);
// Once it could be opened: so that every command finds the same record.
Result<void> remember_cloud_store(const DataFolder& folder, const std::string& store);

SecretKey fresh_secret();  // from the operating system's randomness, as this is:
std::uint64_t fresh_generation();
Result<SecretKey> load_identity(const DataFolder& folder, bool create);
Result<std::optional<Roster>> load_roster(const std::string& path);  // nothing when there is no such file

}  // namespace tillsync
