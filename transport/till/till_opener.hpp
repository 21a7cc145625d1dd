// Opens what a till keeps in its folder: the lock, who it is, whom it knows, its disks, and the core over them. After a
// crash a child process looks at the whole database first, or beside the start when that takes long.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/till/till_core.hpp"
#include "storage/disk/damage_check.hpp"
#include "transport/base/log.hpp"
#include "transport/base/settings.hpp"
#include "transport/files/till_files.hpp"

namespace tillsync {

struct TillOptions {
  std::string folder, branch, till;
  bool network = true;
  bool create = true;
  std::optional<Address> listen;  // instead of till.toml's
};

struct OpenedTill {
  DataFolder folder;
  Settings settings;
  SecretKey key;
  std::unique_ptr<Disk> disk = {};
  std::unique_ptr<TillFiles> files = {};
  std::unique_ptr<TillCore> core = {};
  std::unique_ptr<DamageCheck> check = {};  // still at it
};

// Before the till has a thread. Errors: locked, invalid, not_found, refused, damaged, io.
Result<OpenedTill> open_till(const TillOptions& options, const Log& log);

// The error of a check, which does not know where the till's folder is.
Error for_folder(Error error, const std::string& folder);

}  // namespace tillsync
