// What LMDB does with its file.
#include <doctest/doctest.h>
#include <lmdb.h>

#include <filesystem>

#include "storage/base/random.hpp"
#include "storage/disk/data_folder.hpp"
#include "storage/lmdb/lmdb_env.hpp"
#include "storage/lmdb/till_store.hpp"
#include "tests/scratch.hpp"

using namespace tillsync;
using test::Folder;

namespace {

std::string key(std::uint64_t i) { return "k" + std::to_string(10'000 + i); }

// How large the file is by what it says of itself.
std::uint64_t said_bytes(const std::string& folder) {
  MDB_env* env = nullptr;
  MDB_envinfo info{};
  MDB_stat stat{};
  REQUIRE(mdb_env_create(&env) == MDB_SUCCESS);
  REQUIRE(mdb_env_open(env, folder.c_str(), MDB_RDONLY, 0600) == MDB_SUCCESS);
  mdb_env_info(env, &info);
  mdb_env_stat(env, &stat);
  mdb_env_close(env);
  return (info.me_last_pgno + 1) * stat.ms_psize;
}

// One change that writes much and takes most of it away again: pages at the end are freed before they are written.
Result<void> there_and_gone(lmdb::Env& env, Random& random) {
  return env.write([&](lmdb::WriteTxn& txn) -> Result<void> {
    const std::uint64_t many = 1 + random.below(300);
    for (std::uint64_t i = 0; i < many; ++i) txn.put(env.table("t"), key(i), std::string(random.below(6000), 'x'));
    for (std::uint64_t i = random.below(4); i < many; ++i) txn.erase(env.table("t"), key(i));
    return {};
  });
}

}  // namespace

TEST_CASE("a file that ends before pages that were freed unwritten is whole; one that lost pages in use is not") {
  int short_ones = 0, refused = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    const Folder folder;
    const std::string file = folder / "data.mdb";
    Random random(seed);
    {
      auto env = *lmdb::Env::open(folder.path, {"t"});
      for (std::uint64_t n = 1 + random.below(4); n > 0; --n) REQUIRE(there_and_gone(*env, random));
    }
    short_ones += std::filesystem::file_size(file) < said_bytes(folder.path) ? 1 : 0;
    {
      auto env = lmdb::Env::open(folder.path, {"t"});
      REQUIRE(env);
      CHECK((*env)->verify());
      REQUIRE((*env)->write([&](lmdb::WriteTxn& txn) -> Result<void> {
        for (int i = 0; i < 300; ++i) txn.put((*env)->table("t"), "z" + key(i), std::string(500, 'z'));
        return {};
      }));
      CHECK((*env)->verify());
    }
    const std::uint64_t whole = std::filesystem::file_size(file);
    std::filesystem::resize_file(file, whole * 2 / 3);
    if (auto env = lmdb::Env::open(folder.path, {"t"})) {
      CHECK((*env)->verify());  // what is gone was free
    } else {
      ++refused;
      CHECK(std::filesystem::file_size(file) == whole * 2 / 3);
    }
  }
  CHECK(short_ones > 0);
  CHECK(refused > 0);
}

TEST_CASE("a database that was sealed with SipHash stays so, and goes on") {
  const Folder folder;
  const auto sealed = [](const std::string& key, const std::string& value) {
    const std::uint64_t seal = lmdb::Seal(lmdb::Seal::By::siphash).of(key, value);
    return std::string(reinterpret_cast<const char*>(&seal), sizeof seal) + value;
  };
  const auto put = [](MDB_txn* txn, const char* table, const std::string& key, std::string value) {
    MDB_dbi handle{};
    MDB_val k{key.size(), const_cast<char*>(key.data())}, v{value.size(), value.data()};
    REQUIRE(mdb_dbi_open(txn, table, MDB_CREATE, &handle) == MDB_SUCCESS);
    REQUIRE(mdb_put(txn, handle, &k, &v, 0) == MDB_SUCCESS);
  };
  {
    MDB_env* env = nullptr;
    MDB_txn* txn = nullptr;
    REQUIRE(mdb_env_create(&env) == MDB_SUCCESS);
    mdb_env_set_maxdbs(env, 8);
    REQUIRE(mdb_env_open(env, folder.path.c_str(), 0, 0600) == MDB_SUCCESS);
    REQUIRE(mdb_txn_begin(env, nullptr, 0, &txn) == MDB_SUCCESS);
    put(txn, "t", "old", sealed("old", "value"));
    put(txn, "digests", "t", sealed("old", "value").substr(0, 8));
    REQUIRE(mdb_txn_commit(txn) == MDB_SUCCESS);
    mdb_env_close(env);
  }
  for (const std::string fresh : {"new", "newer"}) {
    auto opened = lmdb::Env::open(folder.path, {"t"});
    REQUIRE(opened);
    auto& env = *opened;
    CHECK(env->verify());
    CHECK(lmdb::ReadTxn(*env).get(env->table("t"), "old") == "value");
    REQUIRE(env->write(
        [&](lmdb::WriteTxn& txn) -> Result<void> { return txn.put(env->table("t"), fresh, "x"), Result<void>(); }));
    CHECK(env->verify());
  }
}

TEST_CASE("a value that rotted in LMDB is reported, never served") {
  Folder folder;
  {
    auto till = *TillStore::open(folder.path);
    StoreBatch batch;
    batch.meta("greeting", "a value that is easy to find in the file");
    REQUIRE(till->commit(batch));
    CHECK(till->verify());
  }
  const std::string file = folder.path + "/data.mdb";
  std::string bytes = *read_file(file);
  for (std::size_t at = 0; (at = bytes.find("easy to find", at)) != std::string::npos; ++at) bytes[at] = 'E';
  REQUIRE(replace_file(file, bytes));
  auto till = *TillStore::open(folder.path);
  CHECK_FALSE(till->view().meta("greeting").has_value());
  CHECK(till->damaged());
  CHECK(till->verify().error().kind == ErrorKind::damaged);
}

TEST_CASE("the map grows before it is full, and what was written stays") {
  Folder folder;
  auto till = *TillStore::open(folder.path);
  const std::string mebibyte(1 << 20, 'm');
  for (int i = 0; i < 100; ++i) {
    StoreBatch batch;
    batch.meta("n" + std::to_string(i), mebibyte);
    REQUIRE(till->commit(batch));
  }
  CHECK(till->view().meta("n0") == mebibyte);
  CHECK(till->verify());
}
