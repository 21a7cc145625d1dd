// LMDB with what it lacks: a checksum in every value, a digest over every table, a map that grows before it is full,
// and errors that wait until the end of a transaction, so that the code between reads like the table it writes.
//
// Never opened with a flag that can corrupt it (no MDB_NOSYNC, MDB_WRITEMAP, MDB_MAPASYNC): a commit is two flushes.
// One writing thread; reading transactions from any thread, kept short: the map grows only between them.
#pragma once

#include <lmdb.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <tillsync/bytes.hpp>
#include <tillsync/result.hpp>
#include <vector>

#include "storage/base/seal.hpp"

namespace tillsync::lmdb {

constexpr MDB_dbi kNoTable = ~MDB_dbi{0};  // one that a database which is only read does not have: it is empty

struct Table {
  MDB_dbi handle{};
  std::string name;
};

class Env;

class Txn {
 public:
  Txn(const Txn&) = delete;
  Txn& operator=(const Txn&) = delete;
  virtual ~Txn();

  // The value, without its checksum; nothing when absent or damaged (then ok() turns false). Valid until the next
  // write.
  std::optional<ByteView> get(const Table& table, ByteView key);

  // Visits entries from `from` on in key order until the visitor says false.
  using Visitor = std::function<bool(ByteView key, ByteView value)>;
  void scan(const Table& table, ByteView from, const Visitor& visit);

  // The last entry whose key is below `below`.
  std::optional<std::pair<Bytes, Bytes>> last_before(const Table& table, ByteView below);

  std::uint64_t entries(const Table& table);

  bool ok() const { return !error_; }
  const std::optional<Error>& error() const { return error_; }

 protected:
  explicit Txn(Env& env);
  bool reads(const Table& table) const { return ok() && txn_ != nullptr && table.handle != kNoTable; }
  void note(int code, const std::string& what);
  void note(Error error) {
    if (!error_) error_ = std::move(error);
  }
  std::optional<ByteView> unseal(const Table& table, ByteView key, ByteView stored);

  Env& env_;
  MDB_txn* txn_ = nullptr;
  std::optional<Error> error_;
  bool map_full_ = false;
  Seal seal_;
  friend class Env;
};

class ReadTxn final : public Txn {
 public:
  explicit ReadTxn(Env& env);

 private:
  std::shared_lock<std::shared_mutex> lock_;
};

class WriteTxn final : public Txn {
 public:
  ~WriteTxn() override;
  void put(const Table& table, ByteView key, ByteView value);
  void erase(const Table& table, ByteView key);

 private:
  friend class Env;
  // Of a table that is written: what goes on near the place of the last write need not search from the root.
  struct Open {
    const Table* table = nullptr;
    MDB_cursor* cursor = nullptr;
    std::uint64_t digest = 0;
    Bytes last;  // no key of the table is above it: what is fills its pages whole
  };
  explicit WriteTxn(Env& env);
  Result<void> commit();
  void close();
  Open* open(const Table& table);
  std::vector<Open> open_;  // by the table's handle
};

class Env {
 public:
  static constexpr std::size_t kFirstMapBytes = 64ULL << 20;

  // `tables` are created when absent. Errors: damaged (not a database, truncated), io, refused, disk_full.
  static Result<std::unique_ptr<Env>> open(const std::string& folder, const std::vector<std::string>& tables,
                                           std::size_t first_map_bytes = kFirstMapBytes);
  // For reading only: no file is made or changed, not even the lock's, and a writer that comes is not held up. Whoever
  // reads makes sure that none came meanwhile: pages may be used again beneath a reader that no writer knows of. Where
  // there is no database, it is an empty one.
  static Result<std::unique_ptr<Env>> look(const std::string& folder, const std::vector<std::string>& tables);
  ~Env();
  Env(const Env&) = delete;
  Env& operator=(const Env&) = delete;

  const Table& table(std::string_view name) const;

  // Runs `body` in one durable transaction; it may run again when the map had to grow, so it must depend on nothing
  // else.
  Result<void> write(const std::function<Result<void>(WriteTxn&)>& body);

  // Reads everything: values against checksums, tables against digests. Names the first table that is wrong.
  Result<void> verify();
  Result<void> copy_to(const std::string& folder);  // a consistent copy, while others read and write

 private:
  friend class Txn;
  friend class ReadTxn;
  friend class WriteTxn;
  Env() = default;
  Result<void> grow(bool full);

  MDB_env* env_ = nullptr;
  std::string folder_;
  std::map<std::string, Table, std::less<>> tables_;
  Table digest_table_;
  Seal::By sealed_by_ = Seal::By::xxh3;
  std::shared_mutex map_mutex_;
};

}  // namespace tillsync::lmdb
