// Rows down by version and watermark, against a model that is a map.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <set>
#include <thread>

#include "engine/cloud/cloud_core.hpp"
#include "engine/till/row_reader.hpp"
#include "engine/wire/paging.hpp"
#include "storage/base/pack.hpp"
#include "storage/base/random.hpp"
#include "storage/lmdb/lmdb_env.hpp"
#include "storage/model/cloud_store.hpp"
#include "storage/model/row_edit.hpp"
#include "storage/model/row_groups.hpp"
#include "storage/model/store_key.hpp"
#include "tests/scratch.hpp"

using namespace tillsync;
using test::Folder;

namespace {

const BranchKey kMain{"tenant", BranchId{"main"}};
const FeedKind kMainProducts{"tenant", "product"};

// One exchange of Pull and Pages. False when there was nothing new.
bool pull_once(CloudStore& cloud, TillStore& till, RowReader& reader) {
  Pages pages;
  auto read = cloud.read([&](CloudTxn& txn) -> Result<void> {
    const FeedRecord newest = txn.feed(kMain, kMainProducts);
    const RowPosition position = position_of(reader.next_pull(), kMainProducts);
    if (is_current(position, newest)) return {};
    pages.pages.push_back(make_page(position, newest, [&](RowVersion after, const RowVisitor& visit) {
      txn.rows_after(kMain, kMainProducts, after, visit);
    }));
    return {};
  });
  REQUIRE(read);
  if (pages.pages.empty()) return false;
  reader.on_pages(std::move(pages));
  StoreBatch batch;
  {
    TillView view = till.view();
    reader.form(view, batch, [](const FeedKind&, const Row&) {});
  }
  REQUIRE(till.commit(batch));
  return true;
}

using Changes = std::vector<std::pair<std::string, std::optional<std::string>>>;  // nothing: deleted

void put(CloudStore& cloud, const Changes& changes) {
  REQUIRE(cloud.write([&](CloudTxn& txn) -> Result<void> {
    for (const auto& [id, fields] : changes) txn.put_row(kMain, {kMainProducts, id, !fields, fields.value_or("")});
    return {};
  }));
}

void put(CloudStore& cloud, const std::string& id, std::optional<std::string> fields) {
  put(cloud, Changes{{id, std::move(fields)}});
}

}  // namespace

TEST_CASE("a reader that pulls by watermark ends with exactly the cloud's rows, whatever changed in between") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    Folder cloud_folder, till_folder;
    auto cloud = *open_lmdb_cloud(cloud_folder.path, 7);
    auto till = *TillStore::open(till_folder.path);
    auto reader = std::make_unique<RowReader>(*till, kMain.branch);
    std::map<std::string, std::string> model;
    Random random(seed);
    for (int step = 0; step < 120; ++step) {
      Changes changes;
      for (std::uint64_t n = random.below(8); n > 0; --n) {
        const std::string id = "p" + std::to_string(random.below(40));
        if (random.below(4) == 0) {
          changes.emplace_back(id, std::nullopt), model.erase(id);
        } else {
          model[id] = std::string(1 + random.below(20'000), static_cast<char>('a' + random.below(26)));
          changes.emplace_back(id, model[id]);
        }
        if (random.below(3) == 0) put(*cloud, std::exchange(changes, {}));
      }
      if (!changes.empty()) put(*cloud, changes);
      if (random.below(3) == 0) pull_once(*cloud, *till, *reader);
      if (random.below(10) == 0) reader = std::make_unique<RowReader>(*till, kMain.branch);  // a restart in the middle
    }
    while (pull_once(*cloud, *till, *reader)) {
    }
    CHECK(reader->diverged() == 0);
    for (int i = 0; i < 40; ++i) {
      const std::string id = "p" + std::to_string(i);
      const auto row = till->view().row(kMainProducts, id);
      const bool there = row && !row->row.deleted;
      REQUIRE(there == model.contains(id));
      if (there) REQUIRE(row->row.fields == model[id]);
    }
  }
}

TEST_CASE("writers that run meanwhile make a reader skip nothing and repeat nothing, whatever page it crashes after") {
  Folder cloud_folder, till_folder;
  auto cloud = *open_lmdb_cloud(cloud_folder.path, 7);
  auto till = *TillStore::open(till_folder.path);
  std::atomic<bool> done = false;
  std::map<std::string, std::string> model;
  std::thread writer([&] {
    Random random(3);
    for (int i = 0; i < 1500; ++i) {
      const std::string id = "p" + std::to_string(random.below(300));
      put(*cloud, id, model[id] = std::to_string(i) + std::string(random.below(3000), 'x'));
    }
    done = true;
  });
  auto reader = std::make_unique<RowReader>(*till, kMain.branch);
  std::uint64_t crashes = 0, page = 0;
  std::set<std::uint64_t> seen;  // versions that were stored
  const auto pull = [&](bool crash) {
    Pages pages;
    REQUIRE(cloud->read([&](CloudTxn& txn) -> Result<void> {
      const FeedRecord newest = txn.feed(kMain, kMainProducts);
      const RowPosition position = position_of(reader->next_pull(), kMainProducts);
      if (is_current(position, newest)) return {};
      pages.pages.push_back(make_page(position, newest, [&](RowVersion after, const RowVisitor& visit) {
        txn.rows_after(kMain, kMainProducts, after, visit);
      }));
      return {};
    }));
    if (pages.pages.empty()) return false;
    const Page sent = pages.pages.front();
    reader->on_pages(std::move(pages));
    StoreBatch batch;
    {
      TillView view = till->view();
      reader->form(view, batch, [](const FeedKind&, const Row&) {});
    }
    if (!crash) {
      REQUIRE(till->commit(batch));
      for (const auto& row : sent.rows) CHECK(seen.insert(row.version.value).second);
    } else {
      reader = std::make_unique<RowReader>(*till, kMain.branch), ++crashes;
    }
    return true;
  };
  while (!done || pull(false)) pull(++page % 3 == 0);
  writer.join();
  while (pull(false)) {
  }
  CHECK(crashes > 0);
  CHECK(reader->diverged() == 0);
  for (const auto& [id, fields] : model) REQUIRE(till->view().row(kMainProducts, id)->row.fields == fields);
}

TEST_CASE("who was away for longer than deleted rows are remembered gets a snapshot, and ends with the same rows") {
  Folder cloud_folder, till_folder;
  auto cloud = *open_lmdb_cloud(cloud_folder.path, 7, 20);
  auto till = *TillStore::open(till_folder.path);
  RowReader reader(*till, kMain.branch);
  const auto id = [](int i) { return "p" + std::to_string(i); };
  for (int i = 0; i < 200; ++i) put(*cloud, id(i), "there");
  while (pull_once(*cloud, *till, reader)) {
  }
  for (int i = 0; i < 15; ++i) put(*cloud, id(i), std::nullopt);
  CHECK(pull_once(*cloud, *till, reader));  // one by one
  CHECK(till->view().row(kMainProducts, id(3))->row.deleted);
  for (int i = 15; i < 100; ++i) put(*cloud, id(i), std::nullopt);
  put(*cloud, id(50), "again");
  while (pull_once(*cloud, *till, reader)) {
  }
  CHECK(reader.diverged() == 0);
  CHECK_FALSE(till->view().row(kMainProducts, id(20)).has_value());  // gone with the snapshot
  for (int i = 0; i < 200; ++i) {
    const auto row = till->view().row(kMainProducts, id(i));
    CHECK((row && !row->row.deleted) == (i == 50 || i >= 100));
  }
  CHECK(till->view().feed(kMainProducts)->horizon > RowVersion{});
}

TEST_CASE("a branch is told the rows of the groups that it belongs to, and of no other") {
  Folder folder;
  auto cloud = *open_lmdb_cloud(folder.path, 7);
  const auto branches = [](const std::vector<std::string>& names) { return join_fields({{"branches", pack(names)}}); };
  REQUIRE(cloud->write([&](CloudTxn& txn) -> Result<void> {
    txn.put_row(kMain, {groups_feed(), "north", false, branches({"main", "other"})});
    txn.put_row(kMain, {groups_feed(), "south", false, branches({"other"})});
    for (const char* group : {"north", "south"})
      txn.put_row(kMain, {{group_feed(group), "product"}, "bread", false, {}});
    return {};
  }));
  Witness witness;
  CloudJob job;
  job.asks.push_back({PeerId{1}, kMain, Pull{{"group/north", "group/south", "group/never"}, {}}});
  const auto answers = run_job(*cloud, witness, job, [] { return Instant{}; });
  REQUIRE(answers);
  const auto& pages = std::get<Pages>(answers->answers.at(0).message).pages;
  REQUIRE(pages.size() == 1);
  CHECK(pages[0].feed == "group/north");
}

// What it costs follows what changed. With TILLSYNC_SHOW_TIMES it also shows how long it takes, with 1,000,000 rows.
TEST_CASE("a pull of what changed is as many bytes from a table of any size") {
  const auto bytes_with = [](int rows) {
    Folder folder;
    auto cloud = *open_lmdb_cloud(folder.path, 7);
    const auto fill = [&](int from, int to, const std::string& fields) {
      REQUIRE(cloud->write([&](CloudTxn& txn) -> Result<void> {
        for (int i = from; i < to; ++i)
          txn.put_row(kMain, {kMainProducts, "p" + std::to_string(1000000 + i), false, fields});
        return {};
      }));
    };
    for (int from = 0; from < rows; from += 50'000) fill(from, std::min(from + 50'000, rows), "a row as it was");
    FeedRecord before;
    REQUIRE(cloud->read(
        [&](CloudTxn& txn) -> Result<void> { return before = txn.feed(kMain, kMainProducts), Result<void>(); }));
    fill(0, 1000, "a row as it is");
    std::size_t bytes = 0;
    double best = 1e9;
    for (int round = 0; round < 15; ++round) {
      const auto start = std::chrono::steady_clock::now();
      REQUIRE(cloud->read([&](CloudTxn& txn) -> Result<void> {
        const FeedRecord newest = txn.feed(kMain, kMainProducts);
        const RowPosition at{"tenant", "product", 7, before.watermark.version, false};
        const Page page = make_page(at, newest, [&](RowVersion after, const RowVisitor& visit) {
          txn.rows_after(kMain, kMainProducts, after, visit);
        });
        CHECK(page.rows.size() == 1000);
        bytes = 0;
        for (const auto& row : page.rows) bytes += row.id.size() + row.fields_bytes.size() + 8;
        return {};
      }));
      best =
          std::min(best, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
    }
    if (std::getenv("TILLSYNC_SHOW_TIMES") != nullptr) MESSAGE(rows << " rows: " << best << " ms");
    return bytes;
  };
  const int many = std::getenv("TILLSYNC_SHOW_TIMES") != nullptr ? 1'000'000 : 30'000;
  CHECK(bytes_with(10'000) == bytes_with(many));
}

TEST_CASE("a cloud restored from a backup opens a new generation, and its readers heal by a snapshot") {
  Folder first_folder, second_folder, till_folder;
  auto first = *open_lmdb_cloud(first_folder.path, 7);
  auto till = *TillStore::open(till_folder.path);
  RowReader reader(*till, kMain.branch);
  for (int i = 0; i < 20; ++i) put(*first, "old" + std::to_string(i), "x");
  while (pull_once(*first, *till, reader)) {
  }
  auto second = *open_lmdb_cloud(second_folder.path, 8);
  for (int i = 10; i < 30; ++i) put(*second, "old" + std::to_string(i), "y");
  while (pull_once(*second, *till, reader)) {
  }
  CHECK_FALSE(till->view().row(kMainProducts, "old3").has_value());
  CHECK(till->view().row(kMainProducts, "old15")->row.fields == "y");
  CHECK(till->view().row(kMainProducts, "old29")->row.fields == "y");
}

TEST_CASE("a reader that has diverged notices by the running checksum, counts it, and heals") {
  Folder cloud_folder, till_folder;
  auto cloud = *open_lmdb_cloud(cloud_folder.path, 7);
  auto till = *TillStore::open(till_folder.path);
  RowReader reader(*till, kMain.branch);
  for (int i = 0; i < 5; ++i) put(*cloud, "p" + std::to_string(i), "v");
  while (pull_once(*cloud, *till, reader)) {
  }
  StoreBatch wrong;
  const auto stored = till->view().row(kMainProducts, "p3");
  wrong.row(kMainProducts, stored->generation, Row{"p3", stored->row.version, false, "something else"},
            stored->row.version);
  REQUIRE(till->commit(wrong));
  put(*cloud, "p3", "v2");
  while (pull_once(*cloud, *till, reader)) {
  }
  CHECK(reader.diverged() == 1);
  CHECK(till->view().row(kMainProducts, "p3")->row.fields == "v2");
}

TEST_CASE("a cloud's database whose rows lay by id is put in order when it is opened, and its readers notice nothing") {
  const Folder cloud_folder, till_folder;
  auto till = *TillStore::open(till_folder.path);
  RowReader reader(*till, kMain.branch);
  {
    auto cloud = *open_lmdb_cloud(cloud_folder.path, 7);
    put(*cloud, {{"bread", "1"}, {"milk", "2"}, {"gone", "3"}, {"gone", std::nullopt}, {"bread", "4"}});
    REQUIRE(pull_once(*cloud, *till, reader));
  }
  {
    auto env = *lmdb::Env::open(cloud_folder.path, {"rows_by_version", "row_places", "rows", "row_versions"});
    const StoreKey feed = StoreKey().text(kMain.tenant).text(kMainProducts.feed).text(kMainProducts.kind);
    struct Old {
      std::string id, fields;
      std::uint64_t version;
      bool deleted;
    };
    REQUIRE(env->write([&](lmdb::WriteTxn& txn) -> Result<void> {
      for (const Old& old : {Old{"bread", "4", 5, false}, Old{"milk", "2", 2, false}, Old{"gone", "", 4, true}}) {
        txn.erase(env->table("rows_by_version"), StoreKey(feed).number(old.version));
        txn.erase(env->table("row_places"), StoreKey(feed).text(old.id));
        txn.put(env->table("row_versions"), StoreKey(feed).number(old.version), old.id);
        Bytes record;
        Packer p(record);
        p.array(3), p.uint(old.version), p.boolean(old.deleted), p.bin(old.fields);
        txn.put(env->table("rows"), StoreKey(feed).text(old.id), record);
      }
      CHECK(txn.entries(env->table("rows_by_version")) == 0);
      return {};
    }));
  }
  for (const std::string milk : {"5", "6"}) {
    auto cloud = *open_lmdb_cloud(cloud_folder.path, 7);
    CHECK(!pull_once(*cloud, *till, reader));
    put(*cloud, "milk", milk);
    REQUIRE(pull_once(*cloud, *till, reader));
    CHECK(reader.diverged() == 0);
    CHECK(till->view().row(kMainProducts, "milk")->row.fields == milk);
    std::vector<std::string> in_order;
    REQUIRE(cloud->read([&](CloudTxn& txn) -> Result<void> {
      txn.rows_after(kMain, kMainProducts, {}, [&](const Row& row) { return in_order.push_back(row.id), true; });
      return {};
    }));
    CHECK(in_order == std::vector<std::string>{"gone", "bread", "milk"});
  }
}
