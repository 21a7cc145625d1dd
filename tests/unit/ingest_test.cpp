// The order of a transaction that takes what tills bring.
#include <doctest/doctest.h>

#include <type_traits>
#include <utility>

#include "engine/cloud/ingest/ingest.hpp"
#include "engine/cloud/ingest/meta_names.hpp"
#include "engine/lone_history.hpp"
#include "storage/model/feeds.hpp"
#include "tests/unit/keys.hpp"
#include "tests/unit/memory_cloud.hpp"

using namespace tillsync;

// No stage comes without the one before it, and none twice.
template <class T>
concept Reads = requires {
  std::declval<T>().read();
};
template <class T>
concept ReadsLedgers = requires {
  std::declval<T>().read_ledgers();
};
template <class T>
concept Closes = requires {
  std::declval<T>().close({});
};
static_assert(Reads<IngestPlan> && !Reads<IngestPlan&>);
static_assert(Closes<Ingest> && !Closes<Ingest&>);
static_assert(!std::is_constructible_v<Ingest, CloudTxn&, std::int64_t, const Policies&>);
static_assert(!std::is_constructible_v<WrittenEvents, CloudTxn&, const BranchKey&, ProductStocks>);
static_assert(!std::is_constructible_v<ReadLedgers, CloudTxn&, const BranchKey&, ProductStocks>);
static_assert(ReadsLedgers<WrittenEvents> && !ReadsLedgers<WrittenEvents&>);

namespace {

// Writes down what matters of what it is asked.
class Diary : public test::MemoryCloud {
 public:
  Diary() : MemoryCloud(10) {}
  std::vector<std::string> lines;

  void expect(const std::function<CloudReads()>& what) override {
    const CloudReads reads = what();
    if (!reads.keys.empty()) lines.emplace_back("expects pushes");
    if (reads.keys.empty() && !reads.metas.empty()) lines.emplace_back("expects ledgers");
    if (reads.keys.empty() && reads.metas.empty()) lines.emplace_back("expects events");
  }
  void put_op(const BranchKey& branch, const Op& op, ByteView bytes, OpEffect effect) override {
    lines.push_back("op of " + branch.branch.text);
    MemoryCloud::put_op(branch, op, bytes, effect);
  }
  void put_events(const BranchKey& branch, const std::string& sku, const std::vector<StockEvent>& events) override {
    lines.push_back("events of " + branch.branch.text);
    MemoryCloud::put_events(branch, sku, events);
  }
  void put_row(const BranchKey& branch, const CloudRow& row) override {
    if (row.feed.kind == "stock") lines.push_back("stock of " + branch.branch.text);
    MemoryCloud::put_row(branch, row);
  }
  void put_meta(const std::string& name, ByteView value) override {
    for (const char* each : {"ledger/", "frontier/", "tally/"}) {
      if (name.starts_with(each)) lines.push_back(std::string(each) + name.substr(name.rfind('/', name.size() - 2)));
    }
    MemoryCloud::put_meta(name, value);
  }
};

ReadPush sale(const BranchKey& branch, std::uint8_t till) {
  OpDraft draft;
  draft.key = "sale-" + std::to_string(till), draft.cashier = "ann";
  draft.document.lines.push_back({"bun", Quantity::units(1), 350, {}});
  const TillId name{"till-" + std::to_string(till)};
  return read_ops(sign_alone(draft, branch.branch, name, test::key_number(till), {}, 1'700'000'000'000));
}

}  // namespace

TEST_CASE("what branches bring is in the record before any of it is folded, and every branch's reads come at once") {
  const BranchKey north{"bakery", {"north"}}, south{"bakery", {"south"}};
  const ReadPush first = sale(north, 1), second = sale(south, 2);
  const Policies policies;
  Diary txn;
  IngestPlan plan(txn, 1'700'000'000'500, policies);
  plan.expect(south, second);
  plan.expect(north, first);
  Ingest ingest = std::move(plan).read();
  CHECK(ingest.branch(south).push(second).seq == Seq{1});
  CHECK(ingest.branch(north).push(first).seq == Seq{1});
  const IngestCounts counts = std::move(ingest).close({{north, {TillId{"till-1"}}}});
  CHECK(counts.appended == 2);
  const std::vector<std::string> expected{"expects pushes",  "op of south",     "op of north",    "events of north",
                                          "events of south", "expects ledgers", "expects events", "ledger//bun",
                                          "stock of north",  "frontier//north", "tally//north",   "ledger//bun",
                                          "stock of south",  "frontier//south", "tally//south"};
  CHECK(txn.lines == expected);
}
