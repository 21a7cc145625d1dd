// What a cloud has on its machine: the data folder with its key and its policies, and its record.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "conflicts/policy.hpp"
#include "engine/cloud/limits.hpp"
#include "lease/roster.hpp"
#include "storage/disk/data_folder.hpp"
#include "storage/model/cloud_store.hpp"
#include "transport/base/address.hpp"
#include "transport/base/log.hpp"

namespace tillsync {

struct CloudOptions {
  std::string folder;
  std::string store;  // postgresql://...; empty: as before, at first LMDB in the folder
  TillId name{"cloud"};
  Address listen{"0.0.0.0", 7800};
  bool network = true;
  bool create = true;
  RateLimits limits{};
  std::size_t lanes() const { return store.empty() ? 1 : 2; }  // jobs at once; LMDB has one writer
};

struct CloudFiles {
  DataFolder folder;
  SecretKey key;
  Policies policies;
  std::unique_ptr<CloudStore> store;
  std::vector<Roster> rosters;  // that the record has

  // Locks the folder and opens the record, whose address options.store has afterwards. A database that is away is
  // waited for, unless somebody waits for an answer (options.network is false).
  static Result<CloudFiles> open(CloudOptions& options, const Log& log);
};

}  // namespace tillsync
