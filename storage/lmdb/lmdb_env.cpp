#include "storage/lmdb/lmdb_env.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>

#include "storage/lmdb/lmdb_free_pages.hpp"

namespace tillsync::lmdb {

namespace {

constexpr char kDigests[] = "digests_xxh3", kSipHashDigests[] = "digests";  // the second in older databases
constexpr std::size_t kSealBytes = 8;

MDB_val val(ByteView v) { return {v.size(), const_cast<char*>(v.data())}; }
ByteView view(const MDB_val& v) { return {static_cast<const char*>(v.mv_data), v.mv_size}; }

Error lmdb_error(int code, const std::string& what) {
  const std::string detail = what + ": " + mdb_strerror(code);
  if (code == ENOSPC || code == EDQUOT) {
    return {ErrorKind::disk_full, "the data disk is full: free some space and carry on", detail};
  }
  if (code == EACCES || code == EPERM || code == EROFS) {
    return {ErrorKind::refused, detail + ": make the data folder writable for this user", detail};
  }
  if (code == MDB_CORRUPTED || code == MDB_PAGE_NOTFOUND || code == MDB_INVALID || code == MDB_VERSION_MISMATCH ||
      code == MDB_PANIC) {
    return {ErrorKind::damaged, "the database is damaged: run 'tillsync recover --data FOLDER', which loses no sale",
            detail};
  }
  if (code == MDB_BAD_VALSIZE || code == MDB_TXN_FULL) {
    return {ErrorKind::invalid, "the database can't hold this, it is too large: leave it out, or shorten it", detail};
  }
  // LMDB says EIO as well of a write that a full disk cut short.
  const std::string todo = code == EIO ? "free some disk space if there is none; else " : "";
  return {ErrorKind::io, "the database failed (" + detail + "): " + todo + "check the disk, then restart", detail};
}

std::uint64_t stored_seal(ByteView stored) {
  std::uint64_t seal = 0;
  std::memcpy(&seal, stored.data(), kSealBytes);
  return seal;
}

}  // namespace

Txn::Txn(Env& env) : env_(env), seal_(env.sealed_by_) {}

Txn::~Txn() {
  if (txn_ != nullptr) mdb_txn_abort(txn_);
}

void Txn::note(int code, const std::string& what) {
  if (code == MDB_MAP_FULL) map_full_ = true;
  if (code != MDB_SUCCESS) note(lmdb_error(code, what));
}

std::optional<ByteView> Txn::unseal(const Table& table, ByteView key, ByteView stored) {
  if (stored.size() >= kSealBytes && stored_seal(stored) == seal_.of(key, stored.substr(kSealBytes))) {
    return stored.substr(kSealBytes);
  }
  note(Error{ErrorKind::damaged, "the database is damaged: run 'tillsync recover --data FOLDER', which loses no sale",
             "a value of table " + table.name + " does not match its checksum"});
  return std::nullopt;
}

std::optional<ByteView> Txn::get(const Table& table, ByteView key) {
  if (!reads(table)) return std::nullopt;
  MDB_val k = val(key), v{};
  const int code = mdb_get(txn_, table.handle, &k, &v);
  if (code == MDB_NOTFOUND) return std::nullopt;
  note(code, "reading " + table.name);
  if (!ok()) return std::nullopt;
  return unseal(table, key, view(v));
}

void Txn::scan(const Table& table, ByteView from, const Visitor& visit) {
  if (!reads(table)) return;
  MDB_cursor* cursor = nullptr;
  note(mdb_cursor_open(txn_, table.handle, &cursor), "opening a cursor on " + table.name);
  if (!ok()) return;
  MDB_val k = val(from), v{};
  int code = mdb_cursor_get(cursor, &k, &v, from.empty() ? MDB_FIRST : MDB_SET_RANGE);
  for (; code == MDB_SUCCESS; code = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
    auto value = unseal(table, view(k), view(v));
    if (!value || !visit(view(k), *value)) break;
  }
  if (code != MDB_NOTFOUND) note(code, "scanning " + table.name);
  mdb_cursor_close(cursor);
}

std::optional<std::pair<Bytes, Bytes>> Txn::last_before(const Table& table, ByteView below) {
  if (!reads(table)) return std::nullopt;
  MDB_cursor* cursor = nullptr;
  note(mdb_cursor_open(txn_, table.handle, &cursor), "opening a cursor on " + table.name);
  if (!ok()) return std::nullopt;
  MDB_val k = val(below), v{};
  int code = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
  code = mdb_cursor_get(cursor, &k, &v, code == MDB_SUCCESS ? MDB_PREV : MDB_LAST);
  std::optional<std::pair<Bytes, Bytes>> found;
  if (code == MDB_SUCCESS) {
    if (auto value = unseal(table, view(k), view(v))) found.emplace(Bytes(view(k)), Bytes(*value));
  } else if (code != MDB_NOTFOUND) {
    note(code, "reading " + table.name);
  }
  mdb_cursor_close(cursor);
  return found;
}

std::uint64_t Txn::entries(const Table& table) {
  MDB_stat stat{};
  if (reads(table)) note(mdb_stat(txn_, table.handle, &stat), "counting " + table.name);
  return stat.ms_entries;
}

ReadTxn::ReadTxn(Env& env) : Txn(env), lock_(env.map_mutex_) {
  if (env.env_ != nullptr) note(mdb_txn_begin(env.env_, nullptr, MDB_RDONLY, &txn_), "starting to read");
}

WriteTxn::WriteTxn(Env& env) : Txn(env) { note(mdb_txn_begin(env.env_, nullptr, 0, &txn_), "starting to write"); }

WriteTxn::~WriteTxn() { close(); }

// Before the transaction ends: LMDB wants it so of cursors that write.
void WriteTxn::close() {
  for (Open& each : open_) {
    if (each.cursor != nullptr) mdb_cursor_close(std::exchange(each.cursor, nullptr));
  }
}

WriteTxn::Open* WriteTxn::open(const Table& table) {
  if (!ok()) return nullptr;
  if (open_.size() <= table.handle) open_.resize(table.handle + 1);
  Open& each = open_[table.handle];
  if (each.cursor != nullptr) return &each;
  note(mdb_cursor_open(txn_, table.handle, &each.cursor), "opening a cursor on " + table.name);
  if (!ok()) return nullptr;
  each.table = &table;
  MDB_val k = val(table.name), v{};
  const int code = mdb_get(txn_, env_.digest_table_.handle, &k, &v);
  if (code == MDB_SUCCESS && v.mv_size == kSealBytes) each.digest = stored_seal(view(v));
  if (mdb_cursor_get(each.cursor, &k, &v, MDB_LAST) == MDB_SUCCESS) each.last.assign(view(k));
  return &each;
}

void WriteTxn::put(const Table& table, ByteView key, ByteView value) {
  Open* const at = open(table);
  if (at == nullptr) return;
  const std::uint64_t seal = seal_.of(key, value);
  MDB_val k = val(key), v{kSealBytes + value.size(), nullptr};
  const bool append = key > at->last;
  int code = mdb_cursor_put(at->cursor, &k, &v, MDB_RESERVE | (append ? MDB_APPEND : MDB_NOOVERWRITE));
  if (append) at->last.assign(key);
  if (code == MDB_KEYEXIST) {
    at->digest ^= stored_seal(view(v));
    v = {kSealBytes + value.size(), nullptr};
    code = mdb_cursor_put(at->cursor, &k, &v, MDB_RESERVE);
  }
  note(code, "writing " + table.name);
  if (code != MDB_SUCCESS) return;
  at->digest ^= seal;
  std::memcpy(v.mv_data, &seal, kSealBytes);
  std::memcpy(static_cast<char*>(v.mv_data) + kSealBytes, value.data(), value.size());
}

void WriteTxn::erase(const Table& table, ByteView key) {
  Open* const at = open(table);
  if (at == nullptr) return;
  MDB_val k = val(key), v{};
  int code = mdb_cursor_get(at->cursor, &k, &v, MDB_SET_KEY);
  if (code == MDB_SUCCESS) {
    at->digest ^= stored_seal(view(v));
    code = mdb_cursor_del(at->cursor, 0);
  }
  if (code != MDB_NOTFOUND) note(code, "erasing from " + table.name);
}

Result<void> WriteTxn::commit() {
  close();
  for (const Open& each : open_) {
    if (!ok() || each.table == nullptr) continue;
    MDB_val k = val(each.table->name), v{sizeof each.digest, const_cast<std::uint64_t*>(&each.digest)};
    note(mdb_put(txn_, env_.digest_table_.handle, &k, &v, 0), "writing a digest");
  }
  if (ok()) {
    note(mdb_txn_commit(txn_), "committing");
    txn_ = nullptr;
  }
  if (error_) return tl::unexpected(*error_);
  return {};
}

Result<std::unique_ptr<Env>> Env::open(const std::string& folder, const std::vector<std::string>& tables,
                                       std::size_t first_map_bytes) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return tl::unexpected(lmdb_error(error.value(), "making " + folder));
  auto env = std::unique_ptr<Env>(new Env);
  env->folder_ = folder;
  mdb_env_create(&env->env_);
  const std::uint64_t on_disk =
      std::filesystem::exists(folder + "/data.mdb") ? std::filesystem::file_size(folder + "/data.mdb") : 0;
  mdb_env_set_mapsize(env->env_, std::max<std::size_t>(first_map_bytes, on_disk * 2));
  mdb_env_set_maxdbs(env->env_, static_cast<MDB_dbi>(tables.size() + 1));
  mdb_env_set_maxreaders(env->env_, 64);
  if (int code = mdb_env_open(env->env_, folder.c_str(), MDB_NOTLS, 0600); code != 0) {
    return tl::unexpected(lmdb_error(code, "opening " + folder));
  }
  WriteTxn txn(*env);  // so that no other process changes the file while it is looked at
  if (txn.error()) return tl::unexpected(*txn.error());
  MDB_envinfo info{};
  MDB_stat stat{};
  mdb_env_info(env->env_, &info);
  mdb_env_stat(env->env_, &stat);
  const std::uint64_t size = std::filesystem::file_size(folder + "/data.mdb");
  const std::uint64_t said = (info.me_last_pgno + 1) * stat.ms_psize;
  if (said > size && !lacks_only_free_pages(env->env_, folder + "/data.mdb", size, said)) {
    return tl::unexpected(lmdb_error(MDB_CORRUPTED, folder + " is shorter than it says"));
  }
  auto open_table = [&](const std::string& name) {
    Table table{0, name};
    if (txn.ok()) txn.note(mdb_dbi_open(txn.txn_, name.c_str(), MDB_CREATE, &table.handle), "opening table " + name);
    return table;
  };
  MDB_dbi older{};
  if (mdb_dbi_open(txn.txn_, kSipHashDigests, 0, &older) == MDB_SUCCESS) env->sealed_by_ = Seal::By::siphash;
  env->digest_table_ = open_table(env->sealed_by_ == Seal::By::siphash ? kSipHashDigests : kDigests);
  for (const std::string& name : tables) env->tables_[name] = open_table(name);
  if (auto done = txn.commit(); !done) return tl::unexpected(done.error());
  return env;
}

Result<std::unique_ptr<Env>> Env::look(const std::string& folder, const std::vector<std::string>& tables) {
  auto env = std::unique_ptr<Env>(new Env);
  env->folder_ = folder;
  for (const std::string& name : tables) env->tables_[name] = Table{kNoTable, name};
  if (!std::filesystem::exists(folder + "/data.mdb")) return env;
  mdb_env_create(&env->env_);
  mdb_env_set_maxdbs(env->env_, static_cast<MDB_dbi>(tables.size() + 1));
  if (int code = mdb_env_open(env->env_, folder.c_str(), MDB_RDONLY | MDB_NOLOCK | MDB_NOTLS, 0600); code != 0)
    return tl::unexpected(lmdb_error(code, "opening " + folder));
  ReadTxn txn(*env);
  if (txn.error()) return tl::unexpected(*txn.error());
  const auto open_table = [&](const char* name) {
    MDB_dbi handle{};
    return mdb_dbi_open(txn.txn_, name, 0, &handle) == MDB_SUCCESS ? handle : kNoTable;
  };
  if (open_table(kSipHashDigests) != kNoTable) env->sealed_by_ = Seal::By::siphash;
  env->digest_table_ = {open_table(env->sealed_by_ == Seal::By::siphash ? kSipHashDigests : kDigests), kDigests};
  for (auto& [name, table] : env->tables_) table.handle = open_table(name.c_str());
  mdb_txn_commit(std::exchange(txn.txn_, nullptr));  // the handles stay
  return env;
}

Env::~Env() {
  if (env_ != nullptr) mdb_env_close(env_);
}

const Table& Env::table(std::string_view name) const { return tables_.find(name)->second; }

Result<void> Env::grow(bool full) {
  MDB_envinfo info{};
  MDB_stat stat{};
  mdb_env_info(env_, &info);
  mdb_env_stat(env_, &stat);
  const std::size_t used = (info.me_last_pgno + 1) * stat.ms_psize;
  if (!full && used < info.me_mapsize / 4 * 3) return {};
  std::unique_lock lock(map_mutex_);  // no reading transaction may be open while the map moves
  if (int code = mdb_env_set_mapsize(env_, info.me_mapsize * 2); code != 0) {
    return tl::unexpected(lmdb_error(code, "growing the map"));
  }
  return {};
}

Result<void> Env::write(const std::function<Result<void>(WriteTxn&)>& body) {
  constexpr int kMaxGrowths = 24;  // 64 MiB doubled this often is a pebibyte
  for (int attempt = 0; attempt < kMaxGrowths; ++attempt) {
    if (auto grown = grow(attempt > 0); !grown) return grown;
    WriteTxn txn(*this);
    auto outcome = body(txn);
    if (!txn.map_full_ && !outcome) return outcome;
    if (!txn.map_full_) outcome = txn.commit();
    if (!txn.map_full_) return outcome;
  }
  return fail(ErrorKind::io, "the database could not grow: check the machine's memory limits");
}

Result<void> Env::copy_to(const std::string& folder) {
  const int code = mdb_env_copy2(env_, folder.c_str(), MDB_CP_COMPACT);
  if (code == MDB_SUCCESS) return {};
  return fail(ErrorKind::io, "can't copy the database to " + folder + " (" + mdb_strerror(code) +
                                 "): name an empty folder with room for it");
}

Result<void> Env::verify() {
  ReadTxn txn(*this);
  Seal seal(sealed_by_);
  for (const auto& [name, table] : tables_) {
    std::uint64_t digest = 0;
    txn.scan(table, {}, [&](ByteView key, ByteView value) {
      digest ^= seal.of(key, value);
      return true;
    });
    if (txn.error()) return tl::unexpected(*txn.error());
    MDB_val k = val(name), v{};
    const int code = mdb_get(txn.txn_, digest_table_.handle, &k, &v);
    const std::uint64_t expected = code == MDB_SUCCESS && v.mv_size == kSealBytes ? stored_seal(view(v)) : 0;
    if (digest != expected) {
      return fail(ErrorKind::damaged,
                  "the database is damaged: run 'tillsync recover --data FOLDER', which loses no sale",
                  "table " + name + " does not match its digest");
    }
  }
  return {};
}

}  // namespace tillsync::lmdb
