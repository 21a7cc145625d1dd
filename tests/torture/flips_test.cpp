// Bits that rot and files that end too early, in what a till has on its disk: harmless, mended, or said; never another
// answer than the one that was given, never a crash.
#include <doctest/doctest.h>

#include <cstring>
#include <fstream>

#include "storage/disk/damage_check.hpp"
#include "storage/journal/journal_format.hpp"
#include "tests/scratch.hpp"
#include "tests/torture/busy_till.hpp"
#include "tests/torture/scale.hpp"

using namespace tillsync;
using namespace tillsync::torture;
namespace fs = std::filesystem;

namespace {

// A flip or, one time in eight, an end that is gone; seldom in the zeros at the end, which are many.
void damage(Bytes& bytes, Random& random) {
  const std::size_t used = journal_format::used_bytes(bytes);
  const std::size_t at = random.below(random.below(8) == 0 ? bytes.size() : used);
  random.below(8) == 0 ? bytes.resize(at) : void(bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8))));
}

Bytes read_all(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(in), {});
}

void write_all(const std::string& path, const Bytes& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

// All that a till knows of its own sales and stock.
std::map<std::string, Bytes> all_of(TillStore& store) {
  std::map<std::string, Bytes> out;
  TillView view = store.view();
  view.all_ops(Incarnation{0}, Seq{0}, [&](Incarnation i, Seq seq, ByteView op) {
    out["op " + std::to_string(i.value) + "/" + std::to_string(seq.value)] = Bytes(op);
    return true;
  });
  view.stocks([&](const std::string& sku, const StockProjection& p) { out["stock " + sku] = std::to_string(p.milli); });
  return out;
}

// A till that is about to sell.
struct FlippedTill {
  test::Folder folder;
  SectorDisk disk{Random(1)};
  BusyTill till{disk, folder / "db", 5};
  FlippedTill() { REQUIRE(till.start()); }
};

}  // namespace

TEST_CASE("a journal with a flipped bit or a lost end: a till that starts has every receipt, or says what is damaged") {
  FlippedTill flipped;
  const test::Folder& folder = flipped.folder;
  SectorDisk& disk = flipped.disk;
  BusyTill& till = flipped.till;
  till.sell(40);
  till.rest();
  till.sell(30);  // journalled, and not in the database yet
  till.stop();
  const auto image = disk.image();
  const auto told = till.told();
  fs::copy(folder / "db", folder / "sound");
  std::uint64_t harmless = 0, said = 0, refused = 0;
  for (std::uint64_t seed = 1; seed <= scaled(5000, 300); ++seed) {
    CAPTURE(seed);
    Random random(seed);
    auto files = image;
    auto victim = std::next(files.begin(), static_cast<std::ptrdiff_t>(random.below(files.size())));
    const std::size_t length = victim->second.size();
    const bool newest = victim->first == std::prev(files.end())->first;
    damage(victim->second, random);
    const bool end_gone = newest && victim->second.size() < length;  // between two batches: as if they had never been
    disk.restore(files);
    fs::remove_all(folder / "db");
    fs::copy(folder / "sound", folder / "db");
    const std::size_t alarms = till.alarms().size();
    if (const auto started = till.start(); !started) {
      REQUIRE_FALSE(started.error().message.empty());
      ++refused;
      continue;
    }
    const bool spoken = till.alarms().size() > alarms;
    const std::string broken = till.broken_promise();
    if (!spoken && !end_gone) REQUIRE(broken == "");
    REQUIRE(broken.find("another op") == std::string::npos);
    broken.empty() && !spoken ? ++harmless : ++said;
    till.sell(2);  // and it sells
    REQUIRE(till.refusals().empty());
    till.stop();
    till.unsay(told);
  }
  MESSAGE(harmless << " harmless, " << said << " said, " << refused << " starts refused");
}

TEST_CASE("a verification of the journal finds every flip that changes what is in it") {
  FlippedTill flipped;
  SectorDisk& disk = flipped.disk;
  BusyTill& till = flipped.till;
  till.sell(60);
  till.stop();
  const auto image = disk.image();
  const auto contents = [&](bool& sound) {
    std::vector<Bytes> ops;
    const auto report = Journal::verify(disk, "journal", [&](JournalPosition, ByteView op) { ops.emplace_back(op); });
    sound = report && report->damage.empty();
    return ops;
  };
  bool sound = false;
  const auto before = contents(sound);
  REQUIRE(sound);
  for (std::uint64_t seed = 1; seed <= scaled(5000, 300); ++seed) {
    CAPTURE(seed);
    Random random(seed);
    auto files = image;
    auto victim = std::next(files.begin(), static_cast<std::ptrdiff_t>(random.below(files.size())));
    const bool last = victim->first == std::prev(files.end())->first;
    const std::size_t length = victim->second.size();
    damage(victim->second, random);
    const bool cut = victim->second.size() < length;
    disk.restore(files);
    const auto after = contents(sound);
    if (cut && last) continue;  // an end between two batches can't be told from one that was never written
    if (sound) REQUIRE(after == before);
  }
}

TEST_CASE("LMDB's file with a flipped bit or a lost end: the child finds it, or all that can be read is as it was") {
  FlippedTill flipped;
  const test::Folder& folder = flipped.folder;
  BusyTill& till = flipped.till;
  till.sell(60);
  till.rest();
  const auto before = all_of(till.store());
  till.stop();
  const Bytes sound = read_all(folder / "db/data.mdb");
  std::uint64_t found = 0, harmless = 0;
  for (std::uint64_t seed = 1; seed <= scaled(5000, 300); ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Bytes bytes = sound;
    damage(bytes, random);
    const std::string at = folder / "damaged";
    fs::remove_all(at);
    fs::create_directories(at);
    write_all(at + "/data.mdb", bytes);
    const auto look = [&]() -> Result<void> {
      auto store = TillStore::open(at);
      if (!store) return tl::unexpected(store.error());
      if (auto verified = (*store)->verify(); !verified) return verified;
      if (all_of(**store) != before) return fail(ErrorKind::refused, "another answer");
      return {};
    };
    const auto outcome = check_in_child(look);
    if (outcome) {
      ++harmless;
    } else {
      REQUIRE(outcome.error().kind != ErrorKind::refused);
      REQUIRE_FALSE(outcome.error().message.empty());
      ++found;
    }
  }
  MESSAGE(found << " found, " << harmless << " harmless");
}
