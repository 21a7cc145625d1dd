#include "storage/lmdb/lmdb_shrink.hpp"

#include <fcntl.h>
#include <lmdb.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>

#include "storage/lmdb/lmdb_free_pages.hpp"

namespace tillsync::lmdb {

namespace {

constexpr char kDataFile[] = "/data.mdb", kCompact[] = "/compact";
constexpr char kStays[] = "the database could not be made smaller, and stays as it is: is there room on the disk?";

struct CloseEnv {
  void operator()(MDB_env* env) const { mdb_env_close(env); }
};

bool is_loose(MDB_env* env) {
  MDB_envinfo info{};
  MDB_stat stat{};
  mdb_env_info(env, &info);
  mdb_env_stat(env, &stat);
  const std::uint64_t pages = info.me_last_pgno + 1;
  if (pages * stat.ms_psize < kLooseBytes) return false;
  std::uint64_t free = 0;
  each_free_page(env, [&](std::uint64_t) { ++free; });
  return free > pages / 2;
}

bool flush(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY);
  const bool flushed = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  return flushed;
}

}  // namespace

Result<void> shrink(const std::string& folder) {
  const std::string whole = folder + kDataFile, fresh = folder + kCompact;
  std::error_code error;
  std::filesystem::remove_all(fresh, error);  // a crash may have come while it was made
  if (!std::filesystem::exists(whole)) return {};
  MDB_env* made = nullptr;
  if (mdb_env_create(&made) != MDB_SUCCESS) return {};
  std::unique_ptr<MDB_env, CloseEnv> env(made);
  int code = mdb_env_open(env.get(), folder.c_str(), MDB_NOTLS, 0600);
  if (code != MDB_SUCCESS) return {};  // whoever opens it properly says what is wrong
  if (!is_loose(env.get())) return {};
  std::filesystem::create_directories(fresh, error);
  if (error) return fail(ErrorKind::io, kStays, "making " + fresh);
  code = mdb_env_copy2(env.get(), fresh.c_str(), MDB_CP_COMPACT);
  env.reset();
  const bool moved = code == MDB_SUCCESS && flush(fresh + kDataFile) &&
                     ::rename((fresh + kDataFile).c_str(), whole.c_str()) == 0 && flush(folder);
  std::filesystem::remove_all(fresh, error);
  if (!moved) return fail(ErrorKind::io, kStays);
  return {};
}

}  // namespace tillsync::lmdb
