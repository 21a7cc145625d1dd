// Rows down by version and watermark, against a model that is a map.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "engine/till/row_reader.hpp"
#include "engine/wire/paging.hpp"
#include "storage/cloud_store.hpp"
#include "storage/data_folder.hpp"
#include "storage/random.hpp"
#include "tests/scratch.hpp"

using namespace tillsync;
using test::Folder;

namespace {

const Shop kShop{"tenant", BranchId{"main"}};
const FeedKind kProducts{"tenant", "product"};

// One exchange of Pull and Pages. False when there was nothing new.
bool pull_once(CloudStore& cloud, TillStore& till, RowReader& reader) {
  Pages pages;
  auto read = cloud.read([&](CloudTxn& txn) -> Result<void> {
    const FeedRecord newest = txn.feed(kShop, kProducts);
    const RowPosition position = position_of(reader.next_pull(), kProducts);
    if (is_current(position, newest)) return {};
    pages.pages.push_back(make_page(position, newest, [&](RowVersion after, const RowVisitor& visit) {
      txn.rows_after(kShop, kProducts, after, visit);
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

void put(CloudStore& cloud, const std::string& id, std::optional<std::string> fields) {
  REQUIRE(cloud.write([&](CloudTxn& txn) -> Result<void> {
    return txn.put_row(kShop, {kProducts, id, !fields, fields.value_or("")}), Result<void>();
  }));
}

}  // namespace

TEST_CASE("a reader that pulls by watermark ends with exactly the cloud's rows, whatever changed in between") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    Folder cloud_folder, till_folder;
    auto cloud = *open_lmdb_cloud(cloud_folder.path, 7);
    auto till = *TillStore::open(till_folder.path);
    auto reader = std::make_unique<RowReader>(*till, kShop.branch);
    std::map<std::string, std::string> model;
    Random random(seed);
    for (int step = 0; step < 120; ++step) {
      for (std::uint64_t n = random.below(8); n > 0; --n) {
        const std::string id = "p" + std::to_string(random.below(40));
        if (random.below(4) == 0) {
          put(*cloud, id, std::nullopt), model.erase(id);
        } else {
          put(*cloud, id, model[id] = std::string(1 + random.below(20'000), static_cast<char>('a' + random.below(26))));
        }
      }
      if (random.below(3) == 0) pull_once(*cloud, *till, *reader);
      if (random.below(10) == 0) reader = std::make_unique<RowReader>(*till, kShop.branch);  // a restart in the middle
    }
    while (pull_once(*cloud, *till, *reader)) {
    }
    CHECK(reader->diverged() == 0);
    for (int i = 0; i < 40; ++i) {
      const std::string id = "p" + std::to_string(i);
      const auto row = till->view().row(kProducts, id);
      const bool there = row && !row->row.deleted;
      REQUIRE(there == model.contains(id));
      if (there) REQUIRE(row->row.fields == model[id]);
    }
  }
}

TEST_CASE("a cloud restored from a backup opens a new generation, and its readers heal by a snapshot") {
  Folder first_folder, second_folder, till_folder;
  auto first = *open_lmdb_cloud(first_folder.path, 7);
  auto till = *TillStore::open(till_folder.path);
  RowReader reader(*till, kShop.branch);
  for (int i = 0; i < 20; ++i) put(*first, "old" + std::to_string(i), "x");
  while (pull_once(*first, *till, reader)) {
  }
  auto second = *open_lmdb_cloud(second_folder.path, 8);
  for (int i = 10; i < 30; ++i) put(*second, "old" + std::to_string(i), "y");
  while (pull_once(*second, *till, reader)) {
  }
  CHECK_FALSE(till->view().row(kProducts, "old3").has_value());
  CHECK(till->view().row(kProducts, "old15")->row.fields == "y");
  CHECK(till->view().row(kProducts, "old29")->row.fields == "y");
}

TEST_CASE("a reader that has diverged notices by the running checksum, counts it, and heals") {
  Folder cloud_folder, till_folder;
  auto cloud = *open_lmdb_cloud(cloud_folder.path, 7);
  auto till = *TillStore::open(till_folder.path);
  RowReader reader(*till, kShop.branch);
  for (int i = 0; i < 5; ++i) put(*cloud, "p" + std::to_string(i), "v");
  while (pull_once(*cloud, *till, reader)) {
  }
  StoreBatch wrong;
  const auto stored = till->view().row(kProducts, "p3");
  wrong.row(kProducts, stored->generation, Row{"p3", stored->row.version, false, "something else"},
            stored->row.version);
  REQUIRE(till->commit(wrong));
  put(*cloud, "p3", "v2");
  while (pull_once(*cloud, *till, reader)) {
  }
  CHECK(reader.diverged() == 1);
  CHECK(till->view().row(kProducts, "p3")->row.fields == "v2");
}

TEST_CASE("a value that rotted in LMDB is reported, never served") {
  Folder folder;
  {
    auto till = *TillStore::open(folder.path);
    StoreBatch batch;
    batch.note("greeting", "a value that is easy to find in the file");
    REQUIRE(till->commit(batch));
    CHECK(till->verify());
  }
  const std::string file = folder.path + "/data.mdb";
  std::string bytes = *read_file(file);
  for (std::size_t at = 0; (at = bytes.find("easy to find", at)) != std::string::npos; ++at) bytes[at] = 'E';
  REQUIRE(replace_file(file, bytes));
  auto till = *TillStore::open(folder.path);
  CHECK_FALSE(till->view().note("greeting").has_value());
  CHECK(till->damaged());
  CHECK(till->verify().error().kind == ErrorKind::damaged);
}

TEST_CASE("the map grows before it is full, and what was written stays") {
  Folder folder;
  auto till = *TillStore::open(folder.path);
  const std::string mebibyte(1 << 20, 'm');
  for (int i = 0; i < 100; ++i) {
    StoreBatch batch;
    batch.note("n" + std::to_string(i), mebibyte);
    REQUIRE(till->commit(batch));
  }
  CHECK(till->view().note("n0") == mebibyte);
  CHECK(till->verify());
}
