// What a cloud says of itself once it was put back to a backup, and what tills make of it. That nobody else can say it:
// hostile_peer_test.cpp.
#include <doctest/doctest.h>

#include "engine/cloud/cloud_core.hpp"
#include "engine/cloud/reset_cloud.hpp"
#include "engine/till/cloud_generation.hpp"
#include "tests/scratch.hpp"
#include "tests/unit/keys.hpp"

using namespace tillsync;

namespace {

// What one till has heard, over restarts.
struct Heard {
  test::Folder folder;
  std::unique_ptr<TillStore> store = TillStore::open(folder.path).value();
  CloudGeneration cloud{store->view()};

  bool doubts() {
    StoreBatch batch;
    const bool doubts = cloud.form(batch);
    REQUIRE(store->commit(batch));
    return doubts;
  }
  bool rows_of(std::uint64_t generation) {
    cloud.on_rows(generation);
    return doubts();
  }
  void restart() { cloud = CloudGeneration(store->view()); }
};

CloudReset word(std::uint64_t generation, std::vector<std::uint64_t> left, std::int64_t wall_ms) {
  return {generation, std::move(left), wall_ms, {}};
}

}  // namespace

TEST_CASE("a till knows the generation of the cloud by its rows, and doubts what it was told when that changes") {
  Heard till;
  CHECK_FALSE(till.cloud.is_old(5));  // nothing is known yet
  CHECK_FALSE(till.rows_of(7));       // the first rows are no news
  CHECK(till.cloud.is_old(5));
  CHECK_FALSE(till.cloud.is_old(7));
  CHECK_FALSE(till.cloud.is_old(0));  // who has no rows may still know
  till.restart();
  CHECK_FALSE(till.rows_of(7));
  CHECK(till.rows_of(8));
  CHECK(till.cloud.is_old(7));
}

TEST_CASE("the cloud's word that it was put back: the later one counts, and no rows of a host that is behind undo it") {
  Heard till;
  SUBCASE("to a till that had no rows yet") {}
  SUBCASE("to one that had") { CHECK_FALSE(till.rows_of(7)); }
  CHECK(till.cloud.hear(word(9, {6, 7}, 100), false));
  CHECK(till.cloud.is_old(7));     // at once
  CHECK(till.cloud.value() != 9);  // what it says itself is of before, until it has doubted
  CHECK(till.doubts());
  CHECK(till.cloud.value() == 9);
  till.restart();
  CHECK(till.cloud.is_old(7));
  CHECK(till.cloud.is_old(0));  // who names none has not heard
  CHECK_FALSE(till.rows_of(6));
  CHECK_FALSE(till.rows_of(7));
  CHECK_FALSE(till.cloud.hear(word(9, {6, 7}, 100), false));
  CHECK_FALSE(till.cloud.hear(word(7, {6}, 50), false));
  CHECK(till.cloud.last_reset()->generation == 9);
  // Put back to the same backup once more: it does not know of 9.
  CHECK(till.cloud.hear(word(10, {6, 7}, 200), false));
  CHECK(till.doubts());
  CHECK_FALSE(till.rows_of(9));
  CHECK_FALSE(till.cloud.hear(word(9, {6, 7}, 300), false));
  // Its own word counts, also with a clock set back in between.
  CHECK(till.cloud.hear(word(11, {6, 7}, 20), true));
  CHECK(till.doubts());
  CHECK_FALSE(till.cloud.hear(word(10, {6, 7}, 200), false));
  CHECK(till.rows_of(12));  // of a host of an older release, which passes no words on
}

TEST_CASE("a record that is put back again and again remembers what it was of, and its times rise") {
  const test::Folder folder;
  auto store = open_lmdb_cloud(folder.path, 1).value();
  auto said = [&] {
    std::optional<CloudReset> out;
    REQUIRE(store->read([&](CloudTxn& txn) -> Result<void> { return out = began_anew(txn), Result<void>(); }));
    return out;
  };
  CHECK_FALSE(said().has_value());
  REQUIRE(reset_cloud(*store, 2, 1000));
  REQUIRE(reset_cloud(*store, 3, 500));  // the clock was set back
  CHECK(said()->generation == 3);
  CHECK(said()->left == std::vector<std::uint64_t>{1, 2});
  CHECK(said()->wall_ms == 1001);
  for (std::uint64_t i = 4; i < 30; ++i) REQUIRE(reset_cloud(*store, i, 2000));
  CHECK(said()->left.size() == 16);
  CHECK(said()->left.back() == 28);
}

TEST_CASE("a cloud says that it was put back before it answers anything else, signed, once a connection") {
  CloudCore core{test::key_number(9)};
  const BranchKey shop{"tenant", {"north"}};
  const WireChain chain{TillId{"till-1"}, Incarnation{99}};
  auto answers_to = [&](PeerId peer) {
    const auto jobs = core.on_message({}, peer, HistoryOffer{chain, {}, {}}).jobs;
    REQUIRE(jobs.size() == 1);
    CloudAnswers answers;
    answers.answers.push_back({peer, Ack{chain, Level::cloud, {}}});
    answers.began_anew = word(3, {1, 2}, 1000);
    return core.on_done({}, jobs[0].lane, answers).sends;
  };
  for (std::uint64_t connection : {1, 2}) {
    (void)core.on_peer_up({}, PeerId{connection}, shop, TillId{"till-1"});
    const auto first = answers_to(PeerId{connection});
    REQUIRE(first.size() == 2);
    const auto* said = std::get_if<CloudReset>(&first[0].message);
    REQUIRE(said != nullptr);
    CHECK(said->valid(test::key_number(9).public_key()));
    CHECK_FALSE(said->valid(test::key_number(8).public_key()));
    CloudReset changed = *said;
    changed.left.push_back(4);
    CHECK_FALSE(changed.valid(test::key_number(9).public_key()));
    CHECK(std::holds_alternative<Ack>(first[1].message));
    CHECK(answers_to(PeerId{connection}).size() == 1);
  }
}
