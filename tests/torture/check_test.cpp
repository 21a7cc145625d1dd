// A rotten database that nobody has noticed when its till starts again after a crash.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>
#include <tillsync/till.hpp>

#include "storage/disk/data_folder.hpp"
#include "tests/scratch.hpp"
#include "tests/torture/scale.hpp"
#include "transport/till/recovery.hpp"

using namespace tillsync;

namespace {

// So many that the check takes longer than a start waits for it.
int sales_before() { return static_cast<int>(torture::scaled(1'000'000, 150'000)); }

OpDraft marked_sale(int number) {
  OpDraft draft{.kind = OpKind::sale, .key = "k" + std::to_string(number), .cashier = "ann", .document = {}};
  draft.document.lines.push_back({"bread", Quantity::units(1), 350, "Brot"});
  draft.document.note = "<" + std::to_string(number) + ">" + std::string(400, 'n');
  return draft;
}

void sell_many(Till& till, int sales) {
  std::atomic<int> done{0};
  for (int i = 0; i < sales; ++i) {
    till.record(marked_sale(i), [&](const Result<Receipt>& receipt) { done += receipt ? 1 : sales; });
    while (i - done > 4096) std::this_thread::yield();
  }
  while (done < sales) std::this_thread::yield();
  REQUIRE(done == sales);
}

void spoil(const std::string& path, const std::string& text) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(file), {}};
  std::size_t at = all.find(text);
  REQUIRE(at != std::string::npos);
  for (; at != std::string::npos; at = all.find(text, at + 1)) {
    file.seekp(static_cast<std::streamoff>(at + text.size()));
    file.put('N');
  }
}

}  // namespace

TEST_CASE("the check finds damage while the till sells: it goes on in the journal, and recover brings back all of it") {
  const test::Folder folder;
  const std::string crashed = folder / "till";
  const int before = sales_before();
  {
    auto till = Till::open({.folder = crashed, .branch = "main", .till = "till-1", .network = false});
    REQUIRE(till);
    sell_many(**till, before);
  }
  std::ofstream(crashed + "/running") << 1;  // what two crashes leave behind, the last before the check was through
  spoil(crashed + "/db/data.mdb", "<" + std::to_string(before / 10 * 9) + ">");
  std::atomic<bool> said{false};
  int sold = before;
  {
    auto till =
        Till::open({.folder = crashed, .network = false, .log = [&](const std::string&, const std::string& text) {
                      if (text.find("tillsync recover") != std::string::npos) said = true;
                    }});
    if (!till) {  // a quick machine finds it before the first sale
      REQUIRE_MESSAGE(till.error().kind == ErrorKind::damaged, till.error().message);
      said = true;
    }
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!said && std::chrono::steady_clock::now() < end) REQUIRE((*till)->record(marked_sale(sold++)));
    REQUIRE(said);
    for (int i = 0; till && i < 100; ++i) REQUIRE((*till)->record(marked_sale(sold++)));
  }
  CHECK(read_file(crashed + "/running") == "3");
  const auto refused = Till::open({.folder = crashed, .network = false});  // however long the check takes
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::damaged);
  const auto recovered = recover_till(crashed);
  REQUIRE(recovered);
  CHECK(recovered->ops >= static_cast<std::uint64_t>(sold));
  auto till = Till::open({.folder = crashed, .network = false});
  REQUIRE(till);
  int lost = 0;
  for (int i = 0; i < sold; ++i) lost += (*till)->where("k" + std::to_string(i)) ? 0 : 1;
  CHECK(lost == 0);
  CHECK((*till)->stock("bread") == Quantity::units(-sold));
  MESSAGE((sold - before) << " sold before and after it was found");
}
