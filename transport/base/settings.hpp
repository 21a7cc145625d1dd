// A till's folder as its owner sees it: till.toml (who it is, where it listens, whom it knows), identity.key,
// roster.bin.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tillsync/ids.hpp>
#include <vector>

#include "conflicts/policy.hpp"
#include "lease/roster.hpp"
#include "storage/disk/data_folder.hpp"
#include "transport/base/address.hpp"

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

SecretKey fresh_secret();  // from the operating system's randomness, as this is:
std::uint64_t fresh_generation();
std::uint64_t random_seed();
Result<SecretKey> load_identity(const DataFolder& folder, bool create);
Result<std::optional<Roster>> load_roster(const std::string& path);  // nothing when there is no such file

}  // namespace tillsync
