// What only a database that several processes share can get wrong.
#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "engine/cloud/cloud_core.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/op_codec.hpp"
#include "storage/postgres/schema.hpp"
#include "tests/unit/backends.hpp"

using namespace tillsync;
using namespace tillsync::test;
using namespace std::chrono_literals;

namespace {

constexpr int kWriters = 16, kEach = 40;

bool left_out() {
  if (has_postgres()) return false;
  MESSAGE("no PostgreSQL here: run tests/with_postgres.sh");
  return true;
}

void sql(const Database& database, const std::string& text) {
  const auto fault = database.connect()->run_text(text);
  if (fault) FAIL(fault->error.message);
}

// Sixteen write while one reads by watermark. How many of what they wrote the reader never saw.
std::size_t skipped(const std::function<void(int writer, int n)>& write,
                    const std::function<void(std::set<std::string>& seen)>& read_on) {
  std::atomic<int> running = kWriters;
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      for (int n = 0; n < kEach; ++n) write(w, n);
      --running;
    });
  }
  std::set<std::string> seen;
  while (running > 0) read_on(seen);
  for (std::thread& each : writers) each.join();
  read_on(seen);
  return kWriters * kEach - seen.size();
}

std::string id_of(int writer, int n) { return std::to_string(writer) + "/" + std::to_string(n); }

}  // namespace

TEST_CASE("a reader by watermark skips no row under sixteen writers; by a plain sequence it would") {
  if (left_out()) return;
  Database database;
  const auto store = database.store();
  SUBCASE("the feed's counter row first") {
    RowVersion watermark;
    const auto write = [&](int writer, int n) {
      auto done = store->write([&](CloudTxn& txn) -> Result<void> {
        txn.put_row(kShop, {kProducts, id_of(writer, n), false, "x"});
        (void)txn.row(kShop, kProducts, id_of(writer, n + 1));  // a round trip with the version in hand
        return {};
      });
      if (!done) throw std::runtime_error(done.error().message);
    };
    const auto read_on = [&](std::set<std::string>& seen) {
      REQUIRE(store->read([&](CloudTxn& txn) -> Result<void> {
        const RowVersion newest = txn.feed(kShop, kProducts).watermark.version;
        txn.rows_after(kShop, kProducts, watermark, [&](const Row& row) {
          CHECK(row.version <= newest);
          CHECK(seen.insert(row.id).second);
          return true;
        });
        watermark = newest;
        return {};
      }));
    };
    CHECK(skipped(write, read_on) == 0);
  }
  SUBCASE("the naive scheme") {
    sql(database, "CREATE TABLE naive (id text PRIMARY KEY, version bigserial)");
    std::vector<std::unique_ptr<postgres::Connection>> connections;
    for (int w = 0; w <= kWriters; ++w) connections.push_back(database.connect());
    constexpr postgres::Statement kInsert{"insert", "INSERT INTO naive (id) VALUES (convert_from($1, 'UTF8'))"};
    constexpr postgres::Statement kThink{"think", "SELECT count(*) FROM naive"};
    constexpr postgres::Statement kRead{"read",
                                        "SELECT id::bytea, version FROM naive WHERE version > $1 ORDER BY version"};
    const auto write = [&](int writer, int n) {
      auto& db = *connections[static_cast<std::size_t>(writer)];
      db.send_text("BEGIN");
      (void)db.run(kInsert, postgres::Values().add(ByteView(id_of(writer, n))));
      (void)db.run(kThink);
      (void)db.run_text("COMMIT");
    };
    std::int64_t watermark = 0;
    const auto read_on = [&](std::set<std::string>& seen) {
      const auto rows = connections.back()->run(kRead, postgres::Values().add(watermark));
      REQUIRE(rows);
      for (std::size_t i = 0; i < rows->size(); ++i) {
        seen.insert(std::string(rows->bytes(i, 0)));
        watermark = rows->bigint(i, 1);
      }
    };
    CHECK(skipped(write, read_on) > 0);  // that it is seen shows that the test can see it
  }
}

TEST_CASE("an older schema is brought up to date in place, a newer one refused with what to do") {
  if (left_out()) return;
  Database database;
  {
    auto old = postgres::Connection::open(database.url());
    REQUIRE(old);
    REQUIRE(postgres::bring_up_to_date(**old, 1));
    REQUIRE_FALSE((*old)->run_text("INSERT INTO note VALUES ('a', 'kept')"));
  }
  {
    auto store = database.store();
    REQUIRE(store->read([&](CloudTxn& txn) -> Result<void> {
      CHECK(txn.meta("a") == "kept");
      return {};
    }));
  }
  CHECK(database.connect()->text_of("SELECT max(version)::text FROM schema_version") ==
        std::to_string(postgres::kNewestSchema));
  sql(database, "INSERT INTO schema_version VALUES (99, now())");
  const auto refused = open_postgres_cloud(database.url(), 7);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::refused);
  CHECK(refused.error().message.find("version 99") != std::string::npos);
  CHECK(refused.error().message.find("upgrade this program") != std::string::npos);
}

TEST_CASE("processes that start at once on an empty database all find it ready, of one generation") {
  if (left_out()) return;
  Database database;
  std::vector<std::thread> all;
  std::mutex mutex;
  std::set<std::uint64_t> generations;
  int opened = 0;
  for (std::uint64_t i = 1; i <= 6; ++i) {
    all.emplace_back([&, i] {
      auto store = open_postgres_cloud(database.url(), i);
      const std::lock_guard guard(mutex);
      if (!store) return;
      ++opened;
      (void)(*store)->read([&](CloudTxn& txn) -> Result<void> {
        return generations.insert(txn.feed(kShop, kProducts).watermark.generation), Result<void>();
      });
    });
  }
  for (std::thread& each : all) each.join();
  CHECK(opened == 6);
  CHECK(generations.size() == 1);
}

TEST_CASE("two that change one note of a branch wait for each other: no update is lost, also across feeds") {
  if (left_out()) return;
  Database database;
  std::vector<std::unique_ptr<CloudStore>> stores;
  for (int i = 0; i < 4; ++i) stores.push_back(database.store());
  std::vector<std::thread> all;
  for (auto& store : stores) {
    all.emplace_back([&store] {
      for (int i = 0; i < 50; ++i) {
        auto done = store->write([&](CloudTxn& txn) -> Result<void> {
          const bool a_first = i % 2 == 0;  // feeds in either order: deadlocks are undone and done again
          txn.lock({kShop});
          for (const char* feed : {a_first ? "tenant" : "group/g", a_first ? "group/g" : "tenant"}) {
            txn.lock_feed(kShop, feed);
            const FeedKind kind{feed, "product"};
            const auto row = txn.row(kShop, kind, "n");
            txn.put_row(kShop, {kind, "n", false, std::to_string(row ? std::stoi(row->fields) + 1 : 1)});
          }
          const auto meta = txn.meta("n");
          txn.put_meta("n", std::to_string(meta ? std::stoi(*meta) + 1 : 1));
          return {};
        });
        if (!done) throw std::runtime_error(done.error().message);
      }
    });
  }
  for (std::thread& each : all) each.join();
  REQUIRE(stores[0]->read([&](CloudTxn& txn) -> Result<void> {
    CHECK(txn.meta("n") == "200");
    CHECK(txn.row(kShop, {"tenant", "product"}, "n")->fields == "200");
    CHECK(txn.row(kShop, {"group/g", "product"}, "n")->fields == "200");
    return {};
  }));
}

TEST_CASE("what one process changes is told to the others, and not to itself") {
  if (left_out()) return;
  Database database;
  auto one = database.store(), two = database.store();
  std::mutex mutex;
  std::condition_variable heard;
  std::vector<std::optional<CloudNews>> at_one, at_two;
  const auto hear = [&](auto& into) {
    return [&](const std::optional<CloudNews>& news) {
      const std::lock_guard guard(mutex);
      into.push_back(news);
      heard.notify_all();
    };
  };
  const auto wait_for = [&](const auto& condition) {
    std::unique_lock lock(mutex);
    return heard.wait_for(lock, 20s, condition);
  };
  one->listen(hear(at_one));
  two->listen(hear(at_two));
  REQUIRE(wait_for([&] { return at_one.size() == 1 && at_two.size() == 1; }));  // who listens anew may have missed some
  CHECK_FALSE(at_two[0]);
  REQUIRE(one->write([&](CloudTxn& txn) -> Result<void> {
    txn.put_row(kShop, {kProducts, "a", false, "x"});
    txn.announce({"aa", "rosters"});
    return {};
  }));
  REQUIRE(wait_for([&] { return at_two.size() == 3; }));
  CHECK(at_two[1] == CloudNews{"aa", "rosters"});
  CHECK(at_two[2] == CloudNews{"aa", "tenant"});
  REQUIRE(two->write([&](CloudTxn& txn) -> Result<void> { return txn.announce({"bb", "tenant"}), Result<void>(); }));
  REQUIRE(wait_for([&] { return at_one.size() == 2; }));
  CHECK(at_one[1] == CloudNews{"bb", "tenant"});
  one.reset(), two.reset();
}

TEST_CASE("a change that forgot to lock its branch is refused, not raced") {
  if (left_out()) return;
  Database database;
  auto store = database.store();
  auto done = store->write([&](CloudTxn& txn) -> Result<void> {
    return txn.put_chain(kShop, {{"till-1"}, {1}}, {{1}, {}}), Result<void>();
  });
  REQUIRE_FALSE(done);
  CHECK(done.error().message.find("without being locked") != std::string::npos);
}

TEST_CASE("a server that crashes, is away, or has no room: each try says so, nothing half is kept, then it goes on") {
  if (left_out()) return;
  const std::string control = std::getenv("TILLSYNC_POSTGRES_CONTROL");
  const auto server = [&](const char* what) { REQUIRE(std::system((control + " " + what).c_str()) == 0); };
  Database database;
  auto store = database.store();
  const auto put = [&](const std::string& value) {
    return store->write([&](CloudTxn& txn) -> Result<void> { return txn.put_meta("n", value), Result<void>(); });
  };
  REQUIRE(put("before"));
  server("crash");
  const auto away = put("lost");
  REQUIRE_FALSE(away);
  CHECK_MESSAGE(away.error().message.find("the database can't be reached") != std::string::npos, away.error().message);
  server("start");
  REQUIRE(put("after"));
  server("crash"), server("start");
  REQUIRE(put("again"));  // at once: the connection that died is replaced
  {
    std::vector<std::unique_ptr<postgres::Connection>> crowd;
    while (auto one = postgres::Connection::open(database.url())) crowd.push_back(std::move(*one));
    CHECK(crowd.size() > 10);
    auto late = open_postgres_cloud(database.url(), 7);
    REQUIRE_FALSE(late);
    CHECK(late.error().message.find("too many clients") != std::string::npos);
    CHECK(put("meanwhile"));  // who has a connection keeps it
  }
  REQUIRE(store->read([&](CloudTxn& txn) -> Result<void> {
    CHECK(txn.meta("n") == "meanwhile");
    return {};
  }));
}
