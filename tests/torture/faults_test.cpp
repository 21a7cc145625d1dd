// A disk that is full, or fails, at each thing that a till asks of it, one after another.
#include <doctest/doctest.h>

#include "tests/scratch.hpp"
#include "tests/torture/busy_till.hpp"

using namespace tillsync;
using namespace tillsync::torture;
using Kind = SectorDisk::Kind;

namespace {

constexpr int kGroups = 60;

// Sells with the n-th operation failing; false when the day had fewer of them. The till is left as it is then.
bool day_with_fault(SectorDisk& disk, BusyTill& till, Kind kind, std::uint64_t n, ErrorKind with, bool lasting) {
  disk.fail(kind, n, with, lasting);
  const auto started = till.start();
  if (!started) {
    CHECK(disk.failed());
    CHECK_FALSE(started.error().message.empty());
    return true;
  }
  till.sell(kGroups);
  return disk.failed();
}

}  // namespace

TEST_CASE(
    "the disk is full at each write in turn: a sale is kept or refused whole, and selling goes on when there is "
    "space") {
  for (const bool lasting : {false, true}) {
    for (std::uint64_t n = 1;; ++n) {
      CAPTURE(n);
      CAPTURE(lasting);
      const test::Folder folder;
      SectorDisk disk{Random(n)};
      BusyTill till(disk, folder / "db", 7);
      const bool hit = day_with_fault(disk, till, Kind::write, n, ErrorKind::disk_full, lasting);
      disk.heal();
      for (const Error& error : till.refusals()) REQUIRE(error.kind == ErrorKind::disk_full);
      if (till.runs()) {
        REQUIRE(till.status().accepting);
        const std::size_t before = till.receipts();
        till.sell(5);  // the same process: nobody has to restart it
        REQUIRE(till.receipts() > before);
        REQUIRE(till.broken_promise() == "");
      }
      till.stop();
      disk.come_back();
      REQUIRE(till.start());
      REQUIRE(till.broken_promise() == "");
      if (!hit) {
        MESSAGE((n - 1) << " writes");
        break;
      }
    }
  }
}

TEST_CASE(
    "a failed flush or write stops the till, which says so; after a restart on a sound disk every receipt is there") {
  for (const Kind kind : {Kind::flush, Kind::write}) {
    for (std::uint64_t n = 1;; ++n) {
      CAPTURE(n);
      const test::Folder folder;
      SectorDisk disk{Random(n)};
      BusyTill till(disk, folder / "db", 9);
      const bool hit = day_with_fault(disk, till, kind, n, ErrorKind::io, false);
      if (hit && till.runs()) {  // though the disk does as it is told again: nobody knows what it has lost
        REQUIRE_FALSE(till.status().accepting);
        REQUIRE_FALSE(till.alarms().empty());
        const std::size_t before = till.receipts();
        till.sell(3);
        REQUIRE(till.receipts() == before);
        REQUIRE(till.refusals().back().kind == ErrorKind::io);
      }
      till.stop();
      disk.heal();
      disk.come_back();
      REQUIRE(till.start());
      REQUIRE(till.broken_promise() == "");
      if (!hit) {
        MESSAGE((n - 1) << std::string(kind == Kind::flush ? " flushes" : " writes"));
        break;
      }
    }
  }
}

TEST_CASE("a flush that fails for want of space is no better: the till stops") {
  const test::Folder folder;
  SectorDisk disk{Random(1)};
  BusyTill till(disk, folder / "db", 3);
  REQUIRE(till.start());
  disk.fail(Kind::flush, 5, ErrorKind::disk_full, false);
  till.sell(20);
  CHECK_FALSE(till.status().accepting);
  till.stop();
  disk.come_back();
  REQUIRE(till.start());
  CHECK(till.broken_promise() == "");
}

TEST_CASE("a read that fails keeps a till from starting with half of its history") {
  const test::Folder folder;
  SectorDisk disk{Random(1)};
  BusyTill till(disk, folder / "db", 3);
  REQUIRE(till.start());
  till.sell(kGroups);
  till.stop();
  for (std::uint64_t n = 1;; ++n) {
    CAPTURE(n);
    disk.fail(Kind::read, n, ErrorKind::io, false);
    const auto started = till.start();
    const bool hit = disk.failed();
    disk.heal();
    if (started) REQUIRE(till.broken_promise() == "");
    till.stop();
    if (!hit) {
      MESSAGE((n - 1) << " reads");
      REQUIRE(started);
      break;
    }
    CHECK_FALSE(started);
  }
}
