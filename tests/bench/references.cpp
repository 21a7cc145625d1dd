#include "tests/bench/references.hpp"

#include <fcntl.h>
#include <lmdb.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>

#include "tests/bench/measure.hpp"

namespace tillsync::bench {

namespace {

void must(int code, const char* what) {
  require_that(code == 0, std::string(what) + " failed: " + std::to_string(code));
}

class BareFile final : public Reference {
 public:
  explicit BareFile(const std::string& folder)
      : fd_(::open((folder + "/bare").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
    require_that(fd_ >= 0, "can't open the bare file");
  }
  ~BareFile() override { ::close(fd_); }
  void write(const std::vector<Bytes>& records) override {
    together_.clear();
    for (const Bytes& each : records) together_ += each;
    require_that(::write(fd_, together_.data(), together_.size()) == static_cast<ssize_t>(together_.size()), "write");
    must(::fdatasync(fd_), "fdatasync");
  }

 private:
  int fd_;
  Bytes together_;
};

class PlainLmdb final : public Reference {
 public:
  explicit PlainLmdb(const std::string& folder) {
    std::filesystem::create_directories(folder + "/lmdb");
    must(mdb_env_create(&env_), "mdb_env_create");
    must(mdb_env_set_mapsize(env_, 16ULL << 30), "mdb_env_set_mapsize");
    must(mdb_env_open(env_, (folder + "/lmdb").c_str(), 0, 0600), "mdb_env_open");
  }
  ~PlainLmdb() override { mdb_env_close(env_); }
  void write(const std::vector<Bytes>& records) override {
    MDB_txn* txn = nullptr;
    MDB_dbi table = 0;
    must(mdb_txn_begin(env_, nullptr, 0, &txn), "mdb_txn_begin");
    must(mdb_dbi_open(txn, nullptr, MDB_INTEGERKEY, &table), "mdb_dbi_open");
    for (const Bytes& each : records) {
      ++next_;
      MDB_val k{sizeof next_, &next_}, v{each.size(), const_cast<char*>(each.data())};
      must(mdb_put(txn, table, &k, &v, MDB_APPEND), "mdb_put");
    }
    must(mdb_txn_commit(txn), "mdb_txn_commit");
  }

 private:
  MDB_env* env_ = nullptr;
  std::uint64_t next_ = 0;
};

class SqliteWal final : public Reference {
 public:
  explicit SqliteWal(const std::string& folder) {
    must(sqlite3_open((folder + "/sqlite.db").c_str(), &db_), "sqlite3_open");
    run("PRAGMA journal_mode=WAL");
    run("PRAGMA synchronous=FULL");
    run("CREATE TABLE sale (seq INTEGER PRIMARY KEY, body BLOB NOT NULL)");
    must(sqlite3_prepare_v2(db_, "INSERT INTO sale (body) VALUES (?)", -1, &insert_, nullptr), "sqlite3_prepare");
  }
  ~SqliteWal() override {
    sqlite3_finalize(insert_);
    sqlite3_close(db_);
  }
  void write(const std::vector<Bytes>& records) override {
    run("BEGIN IMMEDIATE");
    for (const Bytes& each : records) {
      sqlite3_bind_blob(insert_, 1, each.data(), static_cast<int>(each.size()), SQLITE_STATIC);
      require_that(sqlite3_step(insert_) == SQLITE_DONE, "sqlite3_step");
      sqlite3_reset(insert_);
    }
    run("COMMIT");
  }

 private:
  void run(const char* sql) { must(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr), sql); }
  sqlite3* db_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
};

}  // namespace

std::unique_ptr<Reference> bare_file(const std::string& folder) { return std::make_unique<BareFile>(folder); }
std::unique_ptr<Reference> plain_lmdb(const std::string& folder) { return std::make_unique<PlainLmdb>(folder); }
std::unique_ptr<Reference> sqlite_wal(const std::string& folder) { return std::make_unique<SqliteWal>(folder); }

}  // namespace tillsync::bench
