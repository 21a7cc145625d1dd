// A journal that was written well and then damaged as the input says; or whatever bytes for a segment.
#include "storage/journal/journal.hpp"
#include "sim/world/sim_disk.hpp"
#include "storage/journal/journal_format.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace tillsync;
using fuzz::Input;

namespace {

constexpr JournalSizes kSizes{600, 100};

struct Opened {
  Result<Journal> journal;
  std::vector<Bytes> ops;
};

Opened open(Disk& disk) {
  std::vector<Bytes> ops;
  JournalReport report;
  auto journal = Journal::open(
      disk, "j", {1, 0}, {1, 0}, [&](JournalPosition, ByteView op) { ops.emplace_back(op); }, report, kSizes);
  return {std::move(journal), std::move(ops)};
}

std::string segment(std::uint32_t n) { return "j/" + journal_format::segment_name(n); }

std::vector<Bytes> write_well(Disk& disk, Input& in) {
  std::vector<Bytes> all;
  auto journal = open(disk).journal;
  for (int batches = in.byte() % 16; batches > 0; --batches) {
    std::vector<Bytes> batch;
    for (int ops = 1 + in.byte() % 3; ops > 0; --ops)
      batch.push_back("op " + std::to_string(all.size() + batch.size()) + " " + in.take(in.byte() % 80));
    fuzz::require(journal->append(batch).has_value(), "a batch that could not be appended");
    all.insert(all.end(), batch.begin(), batch.end());
  }
  return all;
}

void damage(sim::SimDisk& disk, Input& in) {
  for (int edits = in.byte() % 8; edits > 0; --edits) {
    auto file = disk.open(segment(1 + in.byte() % 4), false);
    if (!file) continue;
    const std::uint64_t size = (*file)->size().value(), at = in.number() % (size + 1);
    const int how = in.byte() % 3;
    if (how == 0) (void)(*file)->truncate(at);
    if (how == 1) (void)(*file)->write_at(at, in.take(in.byte() % 40));
    if (how == 2) {
      Bytes tail = (*file)->read_at(at, size - at).value();  // something in between
      (void)(*file)->write_at(at, in.take(in.byte() % 40) + tail);
    }
  }
}

// Whatever happened to it: nobody's op appears that was not written, order stays, and selling goes on.
void check(Disk& disk, const std::vector<Bytes>* written) {
  const auto seen = Journal::verify(disk, "j", [](JournalPosition, ByteView) {});
  Opened once = open(disk);
  if (!once.journal) return;
  fuzz::require(seen.has_value(), "verify failed where open did not");
  if (written != nullptr) {
    std::size_t next = 0;
    for (const Bytes& op : once.ops) {
      const auto at = std::find(written->begin() + static_cast<std::ptrdiff_t>(next), written->end(), op);
      fuzz::require(at != written->end(), "an op that was never written, or out of its order");
      next = static_cast<std::size_t>(at - written->begin()) + 1;
    }
  }
  const Bytes mark = "the next sale";
  fuzz::require(once.journal->append({mark}).has_value(), "a repaired journal that takes no op");
  once.ops.push_back(mark);
  const Opened twice = open(disk);
  fuzz::require(twice.journal.has_value() && !twice.ops.empty() && twice.ops.back() == mark,
                "what was recorded after damage is gone");
  fuzz::require(twice.ops.size() >= once.ops.size(), "ops are lost when the journal is opened again");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  sim::SimDisk disk{Random(1)};
  if (in.byte() % 4 != 0) {
    const std::vector<Bytes> written = write_well(disk, in);
    damage(disk, in);
    check(disk, &written);
  } else {
    auto file = disk.open(segment(1), true);
    (void)(*file)->write_at(
        0, in.byte() % 2 == 0 ? Bytes(in.rest()) : journal_format::segment_header(1, 0) + Bytes(in.rest()));
    check(disk, nullptr);
  }
  return 0;
}
