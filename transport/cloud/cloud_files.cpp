#include "transport/cloud/cloud_files.hpp"

#include <algorithm>
#include <thread>

#include "engine/cloud/job_scheduler.hpp"
#include "engine/cloud/roster_record.hpp"
#include "storage/disk/disk.hpp"
#include "transport/base/settings.hpp"
#include "transport/cloud/cloud_settings.hpp"

namespace tillsync {

namespace {

// A database that is away when the cloud starts comes back, like one that goes while it runs.
Result<std::unique_ptr<CloudStore>> await_postgres(const std::string& url, std::uint64_t generation, const Log& log) {
  constexpr Duration kFirst = JobScheduler::kFirstPause;
  for (Duration pause = kFirst;; pause = std::min<Duration>(pause * 2, JobScheduler::kLongestPause)) {
    auto store = open_postgres_cloud(url, generation);
    if (store || store.error().kind != ErrorKind::io) return store;
    if (pause == kFirst) log({Notice::Weight::error, store.error().for_log() + "; trying again"});
    std::this_thread::sleep_for(pause);
  }
}

Result<std::unique_ptr<CloudStore>> open_record(const DataFolder& folder, const CloudOptions& options, const Log& log) {
  const std::uint64_t generation = fresh_generation();
  if (options.store.empty()) return open_lmdb_cloud(folder.file("db"), generation);
  return options.network ? await_postgres(options.store, generation, log)
                         : open_postgres_cloud(options.store, generation);
}

// Files in rosters/ are taken in at each start: older folders have them, and who sets a cloud up may put them there.
Result<void> take_roster_files(const DataFolder& folder, CloudStore& store) {
  auto names = posix_disk()->list(folder.file("rosters"));
  for (const std::string& name : names.value_or(std::vector<std::string>{})) {
    if (!name.ends_with(".roster")) continue;
    auto roster = load_roster(folder.file("rosters/" + name));
    if (!roster) return tl::unexpected(roster.error());
    if (!*roster) continue;
    if (auto kept = store_roster(store, **roster); !kept) return kept;
  }
  return {};
}

}  // namespace

Result<CloudFiles> CloudFiles::open(CloudOptions& options, const Log& log) {
  auto folder = DataFolder::lock(options.folder, options.create);
  if (!folder) return tl::unexpected(folder.error());
  auto key = load_identity(*folder, options.create);
  if (!key) return tl::unexpected(key.error());
  auto address = cloud_store(*folder, options.store);
  if (!address) return tl::unexpected(address.error());
  options.store = std::move(*address);
  auto policies = load_policies(*folder);
  if (!policies) return tl::unexpected(policies.error());
  auto store = open_record(*folder, options, log);
  if (!store) return tl::unexpected(store.error());
  if (auto kept = remember_cloud_store(*folder, options.store); !kept) return tl::unexpected(kept.error());
  if (auto taken = take_roster_files(*folder, **store); !taken) return tl::unexpected(taken.error());
  auto rosters = stored_rosters(**store, {});
  if (!rosters) return tl::unexpected(rosters.error());
  return CloudFiles{std::move(*folder), *key, std::move(*policies), std::move(*store), std::move(*rosters)};
}

}  // namespace tillsync
