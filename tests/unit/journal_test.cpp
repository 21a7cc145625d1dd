#include <doctest/doctest.h>

#include "sim/sim_disk.hpp"
#include "storage/journal.hpp"

using namespace tillsync;
using sim::SimDisk;

namespace {

struct Opened {
  Result<Journal> journal;
  std::vector<Bytes> ops;
  JournalReport report;
};

Opened open(Disk& disk, JournalPosition flushed = {1, 0}, std::uint64_t segment_bytes = Journal::kSegmentBytes) {
  std::vector<Bytes> ops;
  JournalReport report;
  auto journal = Journal::open(
      disk, "j", {1, 0}, flushed, [&](JournalPosition, ByteView op) { ops.emplace_back(op); }, report, segment_bytes);
  return {std::move(journal), std::move(ops), std::move(report)};
}

Bytes random_op(Random& random) {
  Bytes op(1 + random.below(400), '\0');
  for (char& c : op) c = static_cast<char>(random.next());
  return op;
}

}  // namespace

TEST_CASE(
    "whatever was acknowledged survives every power cut, in order; whatever was not is there whole or not at all") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    SimDisk disk{Random(seed)};
    std::vector<Bytes> acknowledged;
    for (int life = 0; life < 6; ++life) {
      Opened opened = open(disk, {1, 0}, 4096);
      REQUIRE(opened.journal);
      REQUIRE(opened.ops.size() >= acknowledged.size());
      for (std::size_t i = 0; i < acknowledged.size(); ++i) REQUIRE(opened.ops[i] == acknowledged[i]);
      for (const JournalDamage& d : opened.report.damage) CHECK_FALSE(d.behind_flush);
      acknowledged = opened.ops;  // an unacknowledged end that was found is kept from now on
      const std::uint64_t batches = random.below(30);
      for (std::uint64_t b = 0; b < batches; ++b) {
        std::vector<Bytes> batch;
        for (std::uint64_t n = 1 + random.below(4); n > 0; --n) batch.push_back(random_op(random));
        REQUIRE(opened.journal->append(batch));
        acknowledged.insert(acknowledged.end(), batch.begin(), batch.end());
      }
      // A write that no flush followed.
      auto file = disk.open("j/" + disk.list("j")->back(), false);
      if (life % 2 == 1) REQUIRE((*file)->write_at((*file)->size().value(), random_op(random)));
      disk.power_cut();
    }
  }
}

TEST_CASE(
    "damage behind a flushed position is named with segment and offset, and the records around it are still read") {
  SimDisk disk{Random(3)};
  JournalPosition second;
  {
    Opened opened = open(disk);
    for (const char* op : {"first", "second", "third"}) {
      if (op == std::string("second")) second = opened.journal->end();
      REQUIRE(opened.journal->append({op}));
    }
  }
  REQUIRE(disk.rot("j/00000001.journal", second.offset + 50));
  Opened opened = open(disk);
  REQUIRE(opened.report.damage.size() == 1);
  CHECK(opened.report.damage[0].behind_flush);
  CHECK(opened.report.damage[0].at == second);
  CHECK(opened.ops == std::vector<Bytes>{"first", "third"});
}

TEST_CASE(
    "an unfinished end is set aside in a file of its own, never deleted, and writing goes on behind the last whole "
    "batch") {
  SimDisk disk{Random(4)};
  {
    Opened opened = open(disk);
    REQUIRE(opened.journal->append({"paid"}));
    auto file = disk.open("j/00000001.journal", false);
    REQUIRE((*file)->write_at(opened.journal->end().offset, "half a batch"));
    REQUIRE((*file)->flush());
  }
  Opened opened = open(disk);
  REQUIRE(opened.report.damage.size() == 1);
  CHECK_FALSE(opened.report.damage[0].behind_flush);
  auto aside = disk.open(opened.report.damage[0].set_aside, false);
  REQUIRE(aside);
  CHECK((*aside)->read_at(0, 100).value() == "half a batch");
  REQUIRE(opened.journal->append({"next"}));
  CHECK(open(disk).ops == std::vector<Bytes>{"paid", "next"});
}

TEST_CASE("a full disk refuses the batch whole and takes it when there is space") {
  SimDisk disk{Random(5)};
  Opened opened = open(disk);
  REQUIRE(opened.journal->append({"one"}));
  disk.set_full(true);
  const auto refused = opened.journal->append({"two"});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::disk_full);
  disk.set_full(false);
  REQUIRE(opened.journal->append({"two"}));
  CHECK(open(disk).ops == std::vector<Bytes>{"one", "two"});
}

TEST_CASE("segments follow each other, name their first op, and go one by one, but never the one being written") {
  SimDisk disk{Random(6)};
  Opened opened = open(disk, {1, 0}, 256);
  for (int i = 0; i < 12; ++i) REQUIRE(opened.journal->append({"op " + std::to_string(i) + std::string(60, '.')}));
  const auto segments = opened.journal->segments().value();
  REQUIRE(segments.size() >= 3);
  CHECK(segments[0].first_op.starts_with("op 0"));
  REQUIRE(opened.journal->retire(segments[0].number));
  CHECK_FALSE(opened.journal->retire(segments.back().number));
  CHECK(opened.journal->segments()->size() == segments.size() - 1);
}
