// A cloud's folder as its operator sees it: cloud.toml (its name, where it listens, where its record lies, its limits),
// identity.key.
#pragma once

#include <string>
#include <tillsync/ids.hpp>

#include "engine/cloud/limits.hpp"
#include "storage/disk/data_folder.hpp"
#include "transport/base/settings.hpp"

namespace tillsync {

// cloud.toml of a cloud's folder; docs/examples/cloud/cloud.toml explains each setting.
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

}  // namespace tillsync
