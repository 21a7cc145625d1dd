#include "storage/lmdb/lmdb_free_pages.hpp"

#include <cstring>
#include <filesystem>
#include <set>

namespace tillsync::lmdb {

void each_free_page(MDB_env* env, const std::function<void(std::uint64_t page)>& visit) {
  constexpr MDB_dbi kFreePages = 0;  // LMDB's own table: per transaction a list that begins with its length
  MDB_txn* txn = nullptr;
  MDB_cursor* cursor = nullptr;
  if (mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn) != MDB_SUCCESS) return;
  if (mdb_cursor_open(txn, kFreePages, &cursor) == MDB_SUCCESS) {
    MDB_val k{}, v{};
    while (mdb_cursor_get(cursor, &k, &v, MDB_NEXT) == MDB_SUCCESS) {
      const std::size_t room = v.mv_size / sizeof(std::size_t);
      std::size_t length = 0;
      if (room > 0) std::memcpy(&length, v.mv_data, sizeof length);
      for (std::size_t i = 1; i <= length && i < room; ++i) {
        std::size_t page = 0;
        std::memcpy(&page, static_cast<const char*>(v.mv_data) + i * sizeof page, sizeof page);
        visit(page);
      }
    }
    mdb_cursor_close(cursor);
  }
  mdb_txn_abort(txn);
}

bool lacks_only_free_pages(MDB_env* env, const std::string& file, std::uint64_t size, std::uint64_t said) {
  MDB_stat stat{};
  mdb_env_stat(env, &stat);
  std::error_code error;
  std::filesystem::resize_file(file, said, error);  // reading past its end would be a SIGBUS
  if (error) return false;
  std::set<std::uint64_t> missing;
  each_free_page(env, [&](std::uint64_t page) {
    if (page >= size / stat.ms_psize && page < said / stat.ms_psize) missing.insert(page);
  });
  const bool free = missing.size() == (said - size + stat.ms_psize - 1) / stat.ms_psize;
  if (!free) std::filesystem::resize_file(file, size, error);  // as it was found
  return free;
}

}  // namespace tillsync::lmdb
