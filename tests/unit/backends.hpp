// The cloud stores that a test can be run against: LMDB always, PostgreSQL where tests/with_postgres.sh started one.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "storage/model/cloud_store.hpp"
#include "storage/postgres/connection.hpp"
#include "tests/scratch.hpp"

namespace tillsync::test {

inline const BranchKey kShop{"aa", {"north"}};
inline const FeedKind kProducts{"tenant", "product"};

inline bool has_postgres() { return std::getenv("PGHOST") != nullptr; }

// A database of its own on the test's server; goes with the test.
class Database {
 public:
  Database() {
    static std::atomic<int> made = 0;
    name_ = "t" + std::to_string(::getpid()) + "_" + std::to_string(++made);
    auto server = postgres::Connection::open("postgresql://");
    REQUIRE(server);
    REQUIRE_FALSE((*server)->run_text("CREATE DATABASE " + name_));
  }
  ~Database() {
    auto server = postgres::Connection::open("postgresql://");
    if (server) (void)(*server)->run_text("DROP DATABASE " + name_ + " WITH (FORCE)");
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  std::string url() const { return "postgresql:///" + name_; }
  std::unique_ptr<postgres::Connection> connect() const {
    auto connection = postgres::Connection::open(url());
    REQUIRE(connection);
    REQUIRE_FALSE((*connection)->run_text("SET search_path = tillsync"));
    return std::move(*connection);
  }
  std::unique_ptr<CloudStore> store(std::uint64_t tombstones_kept = kTombstonesKept) const {
    auto opened = open_postgres_cloud(url(), 7, tombstones_kept);
    if (!opened) FAIL(opened.error().message);
    return std::move(*opened);
  }

 private:
  std::string name_;
};

// Runs `body` with an opener of each kind of store; opened again, the same data is there.
using OpenStore = std::function<std::unique_ptr<CloudStore>(std::uint64_t tombstones_kept)>;
inline void on_each_store(const std::function<void(const OpenStore&)>& body) {
  {
    INFO("LMDB");
    Folder folder;
    body([&](std::uint64_t kept) { return std::move(*open_lmdb_cloud(folder.path, 7, kept)); });
  }
  if (!has_postgres()) return;
  INFO("PostgreSQL");
  Database database;
  body([&](std::uint64_t kept) { return database.store(kept); });
}

}  // namespace tillsync::test
