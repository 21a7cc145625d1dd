#include <doctest/doctest.h>

#include "sim/world/sim_disk.hpp"
#include "storage/journal/journal.hpp"

using namespace tillsync;
using sim::SimDisk;

namespace {

struct Opened {
  Result<Journal> journal;
  std::vector<Bytes> ops;
  JournalReport report;
};

Opened open(Disk& disk, JournalPosition flushed = {1, 0}, JournalSizes sizes = {}) {
  std::vector<Bytes> ops;
  JournalReport report;
  auto journal = Journal::open(
      disk, "j", {1, 0}, flushed, [&](JournalPosition, ByteView op) { ops.emplace_back(op); }, report, sizes);
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
      Opened opened = open(disk, {1, 0}, {4096, 1 + random.below(2000)});
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
      if (life % 2 == 1) REQUIRE((*file)->write_at(opened.journal->end().offset, random_op(random)));
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
  REQUIRE(opened.journal->append({"two"}));  // there is room for it
  const Bytes long_one(JournalSizes().least_room, 'l');
  const auto refused = opened.journal->append({long_one});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::disk_full);
  CHECK(open(disk).ops == std::vector<Bytes>{"one", "two"});
  disk.set_full(false);
  REQUIRE(opened.journal->append({long_one}));
  CHECK(open(disk).ops == std::vector<Bytes>{"one", "two", long_one});
}

TEST_CASE(
    "a disk with space for the batch and not for room behind it takes the batch, and the next that fits into what is "
    "left") {
  SimDisk disk{Random(9)};
  Opened opened = open(disk);
  disk.set_space(2'000);
  REQUIRE(opened.journal->append({Bytes(1'000, 'a')}));
  const JournalPosition end = opened.journal->end();
  CHECK((*disk.open("j/00000001.journal", false))->size().value() == end.offset);  // no room
  REQUIRE(opened.journal->append({Bytes(500, 'b')}));
  const auto refused = opened.journal->append({Bytes(1'000, 'c')});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::disk_full);
  REQUIRE(opened.journal->append({Bytes(100, 'd')}));  // what was refused left nothing behind
  disk.power_cut();
  Opened again = open(disk);
  CHECK(again.ops == std::vector<Bytes>{Bytes(1'000, 'a'), Bytes(500, 'b'), Bytes(100, 'd')});
  CHECK(again.report.damage.empty());
}

TEST_CASE("segments follow each other, name their first op, and go one by one, but never the one being written") {
  SimDisk disk{Random(6)};
  Opened opened = open(disk, {1, 0}, {256});
  for (int i = 0; i < 12; ++i) REQUIRE(opened.journal->append({"op " + std::to_string(i) + std::string(60, '.')}));
  const auto segments = opened.journal->segments().value();
  REQUIRE(segments.size() >= 3);
  CHECK(segments[0].first_op.starts_with("op 0"));
  REQUIRE(opened.journal->retire(segments[0].number));
  CHECK_FALSE(opened.journal->retire(segments.back().number));
  CHECK(opened.journal->segments()->size() == segments.size() - 1);
}

TEST_CASE("what is written lies in room that was made before; a segment that is full gives its room back") {
  SimDisk disk{Random(7)};
  Opened opened = open(disk, {1, 0}, {20'000});
  const auto size = [&](std::uint32_t number) {
    return (*disk.open("j/0000000" + std::to_string(number) + ".journal", false))->size().value();
  };
  REQUIRE(opened.journal->append({"first"}));
  const std::uint64_t with_room = size(1);
  CHECK(with_room >= opened.journal->end().offset + JournalSizes().least_room);
  for (int i = 0; i < 10; ++i) REQUIRE(opened.journal->append({Bytes(1'000, '.')}));
  CHECK(size(1) == with_room);
  const JournalPosition end = opened.journal->end();
  CHECK(open(disk).report.end == end);
  CHECK(open(disk).report.damage.empty());
  REQUIRE(opened.journal->end_segment());
  CHECK(size(1) == end.offset);
  REQUIRE(opened.journal->append({Bytes("ends in zeros\0\0", 15)}));
  CHECK(open(disk).ops.back() == Bytes("ends in zeros\0\0", 15));
  CHECK(open(disk).report.damage.empty());
}

TEST_CASE("a segment that can't be followed by another, for want of space, keeps its room and goes on") {
  SimDisk disk{Random(10)};
  Opened opened = open(disk, {1, 0}, {64});  // each batch is to begin another
  REQUIRE(opened.journal->append({"one"}));
  for (const std::uint64_t space : {0, 1, 20}) {  // for no file, no header, half a header
    disk.set_space(space);
    const auto refused = opened.journal->end_segment();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::disk_full);
    CHECK(disk.list("j")->size() == 1);
    REQUIRE(opened.journal->append({"another"}));
  }
  CHECK(disk.all_flushed());
  disk.set_full(false);
  REQUIRE(opened.journal->append({"last"}));
  CHECK(opened.journal->segments()->size() == 2);
  CHECK(open(disk).ops == std::vector<Bytes>{"one", "another", "another", "another", "last"});
}

TEST_CASE("what a full disk took of a batch is gone for good when the segment ends") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    SimDisk disk{Random(seed)};
    Opened opened = open(disk);
    disk.set_space(200);
    REQUIRE(opened.journal->append({"paid"}));  // without room
    disk.set_full(false);
    auto file = disk.open("j/00000001.journal", false).value();
    REQUIRE(file->write_at(opened.journal->end().offset, "half a batch"));
    REQUIRE(opened.journal->end_segment());
    disk.power_cut();
    CHECK(open(disk).report.damage.empty());
  }
}

TEST_CASE("a segment that lost its end is found out by the next one, whether it had given its room back or not") {
  SimDisk disk{Random(11)};
  JournalPosition first;
  {
    Opened opened = open(disk);
    REQUIRE(opened.journal->append({"first"}));
    first = opened.journal->end();
    REQUIRE(opened.journal->append({"second"}));
    REQUIRE(opened.journal->end_segment());
    REQUIRE(opened.journal->append({"third"}));
  }
  auto file = disk.open("j/00000001.journal", false).value();
  const std::uint64_t size = file->size().value();
  REQUIRE(file->truncate(first.offset));
  SUBCASE("") {}
  SUBCASE("with room") { REQUIRE(file->truncate(size + 1000)); }
  const Opened opened = open(disk);
  CHECK(opened.ops == std::vector<Bytes>{"first", "third"});
  REQUIRE(opened.report.damage.size() == 1);
  CHECK(opened.report.damage[0].at == first);
  CHECK(opened.report.damage[0].bytes == size - first.offset);
}

TEST_CASE("a sector of an unfinished batch that holds anything, behind the batch as well, is one unfinished end") {
  SimDisk disk{Random(12)};
  JournalPosition end;
  {
    Opened opened = open(disk);
    REQUIRE(opened.journal->append({"paid"}));
    end = opened.journal->end();
    REQUIRE(opened.journal->append({Bytes(500, 'u')}));
    const std::uint64_t last = opened.journal->end().offset - 100;
    REQUIRE((*disk.open("j/00000001.journal", false))->write_at(last, Bytes(300, '?')));
  }
  Opened opened = open(disk);
  REQUIRE(opened.report.damage.size() == 1);
  CHECK_FALSE(opened.report.damage[0].behind_flush);
  CHECK(opened.report.damage[0].at == end);
  REQUIRE(opened.journal->append({"next"}));
  CHECK(open(disk).ops == std::vector<Bytes>{"paid", "next"});
}

TEST_CASE("something in the room that is no batch is set aside as far as it goes, and the room is made anew") {
  SimDisk disk{Random(8)};
  JournalPosition end;
  {
    Opened opened = open(disk);
    REQUIRE(opened.journal->append({"paid"}));
    end = opened.journal->end();
  }
  REQUIRE(disk.rot("j/00000001.journal", end.offset + 1000));
  Opened opened = open(disk);
  REQUIRE(opened.report.damage.size() == 1);
  CHECK_FALSE(opened.report.damage[0].behind_flush);
  CHECK(opened.report.damage[0].bytes == 1001);
  CHECK((*disk.open(opened.report.damage[0].set_aside, false))->size().value() == 1001);
  REQUIRE(opened.journal->append({"next"}));
  const Opened again = open(disk);
  CHECK(again.ops == std::vector<Bytes>{"paid", "next"});
  CHECK(again.report.damage.empty());
}
