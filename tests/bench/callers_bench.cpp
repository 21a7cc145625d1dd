// 32 sales at once: of as many threads that each wait for theirs, and of one that waits for all.
#include <algorithm>
#include <barrier>
#include <latch>
#include <thread>
#include <tillsync/till.hpp>

#include "storage/journal/journal.hpp"
#include "storage/lmdb/till_store.hpp"
#include "storage/model/op_codec.hpp"
#include "tests/bench/bench.hpp"
#include "tests/bench/references.hpp"
#include "tools/client/failure.hpp"
#include "transport/till/group_commit.hpp"

namespace tillsync::bench {

namespace {

constexpr std::size_t kTogether = 32;
constexpr char kReference[] = "32 appends + fdatasync";

std::vector<Bytes> records_at_once() {
  std::vector<Bytes> records;
  for (std::size_t i = 0; i < kTogether; ++i) records.push_back(as_record(i));
  return records;
}

std::vector<OpDraft> next_sales(std::uint64_t& next, std::size_t count) {
  std::vector<OpDraft> sales;
  for (std::size_t i = 0; i < count; ++i) sales.push_back(four_line_sale(next++, "till-1"));
  return sales;
}

constexpr std::size_t kEach = 50;  // sales of a caller in a stretch

// Each caller records one sale after the other and waits for each. us for 32 sales; `waits` gets how long each waited.
double callers_us(const std::function<void(std::size_t sale)>& record, Samples* waits = nullptr) {
  std::barrier together(kTogether + 1);
  std::vector<double> waited(kTogether * kEach);
  std::vector<std::jthread> callers;
  for (std::size_t c = 0; c < kTogether; ++c) {
    callers.emplace_back([&, c] {
      together.arrive_and_wait();
      for (std::size_t i = c * kEach; i < (c + 1) * kEach; ++i) {
        const auto begun = Clock::now();
        record(i);
        waited[i] = seconds_since(begun) * 1e6;
      }
      together.arrive_and_wait();
    });
  }
  together.arrive_and_wait();
  const auto start = Clock::now();
  together.arrive_and_wait();
  const double all = seconds_since(start) * 1e6 / kEach;
  if (waits != nullptr) std::ranges::for_each(waited, [&](double each) { waits->add(each); });
  return all;
}

// Answers all of them with the same receipt.
void answer_all(const std::vector<GroupCommit::Caller*>& callers) {
  GroupCommit::Answers answers;
  for (GroupCommit::Caller* each : callers) answers.emplace_back(each, Receipt{});
  GroupCommit::answer(std::move(answers));
}

// What 32 threads that wait for each other's flush cost by themselves: group commit and journal, without the core.
double bare_callers_us(Journal& journal, const std::vector<OpDraft>& sales) {
  GroupCommit commit([&](const std::vector<GroupCommit::Caller*>& callers) {
    client::require(journal.append(std::vector<Bytes>(callers.size(), as_record(0))));
    answer_all(callers);
  });
  std::vector<ValidDraft> drafts;
  for (const OpDraft& sale : sales) drafts.push_back(client::require(ValidDraft::of(sale)));
  return callers_us([&](std::size_t i) { client::require(commit.record(std::move(drafts[i]))); });
}

// The least that any engine does between two such flushes, and nothing else: no books, no stock, no database.
double least_callers_us(Journal& journal, TillStore& store, const std::vector<OpDraft>& sales) {
  GroupCommit commit([&](const std::vector<GroupCommit::Caller*>& callers) {
    std::vector<Bytes> batch;
    Hash last;
    TillView view = store.view();
    for (GroupCommit::Caller* each : callers) {
      Op op = std::move(each->draft).op();
      require_that(!view.find_key(op.key), "a sale was there before");
      op.prev = last;
      batch.push_back(encode(op));
      last = blake2b(batch.back());
    }
    client::require(journal.append(batch));
    answer_all(callers);
  });
  return callers_us([&](std::size_t i) { client::require(commit.record(client::require(ValidDraft::of(sales[i])))); });
}

std::unique_ptr<TillStore> store_of_keys(const Options& o) {
  auto store = client::require(TillStore::open(o.where + "/least"));
  const std::uint64_t keys = o.scaled<std::uint64_t>(1'000'000, 2'000);
  for (std::uint64_t n = 1; n <= keys;) {
    StoreBatch batch;
    for (const std::uint64_t end = n + keys / 100; n < end; ++n)
      batch.vault_op({TillId{"till-1"}, Incarnation{1}}, Seq{n}, four_line_sale(n, "till-1").key, "op");
    client::require(store->commit(batch));
  }
  return store;
}

std::vector<Figure> many_threads(const Options& o, Till& till, std::uint64_t& next) {
  Samples ours, one, file, file_one, bare, least;
  auto reference = bare_file(o.where);
  const auto disk = posix_disk();
  JournalReport report;
  const auto open = [&](const std::string& name) {
    return client::require(Journal::open(
        *disk, o.where + name, {}, {}, [](auto&&...) {}, report));
  };
  Journal bare_journal = open("/bare-journal"), least_journal = open("/least-journal");
  const auto store = store_of_keys(o);
  const std::vector<Bytes> records = records_at_once();
  for (int stretch = 0; stretch < o.scaled(40, 2); ++stretch) {
    const std::vector<OpDraft> sales = next_sales(next, kTogether * kEach);
    const auto begun = Clock::now();
    for (std::size_t i = 0; i < kEach; ++i) file_one.time_us([&] { reference->write(records); });
    file.add(seconds_since(begun) * 1e6 / kEach);
    ours.add(callers_us([&](std::size_t i) { client::require(till.record(sales[i])); }, &one));
    bare.add(bare_callers_us(bare_journal, sales));
    least.add(least_callers_us(least_journal, *store, sales));
  }
  const std::string what = "32 callers at once, a batch of 32 sales",
                    how = "32 threads that each record and wait, in stretches of " + std::to_string(kEach) +
                          " sales each, in turn with as many batches of the reference; per 32 sales";
  using Judge = Figure::Judge;
  return {{what, how, "us", ours, kReference, file, Judge::ratio_at_most, 1.5},
          {"32 callers at once, how long one waits", "each call of the same, beside each batch of the reference", "us",
           one, kReference, file_one, Judge::ratio_at_most, 0},
          {what, how, "us", ours, "the same without the core", bare, Judge::ratio_at_most, 0},
          {what + ": validated, encoded, looked up, hashed, flushed, and nothing else", how, "us", least, kReference,
           file, Judge::ratio_at_most, 0}};
}

// The same of a program that blocks no thread: 32 sales, then all their receipts.
Figure many_callbacks(const Options& o, Till& till, std::uint64_t& next) {
  Samples ours, file;
  auto reference = bare_file(o.where);
  const std::vector<Bytes> records = records_at_once();
  for (int i = 0; i < o.scaled(2000, 50); ++i) {
    const std::vector<OpDraft> sales = next_sales(next, kTogether);
    file.time_us([&] { reference->write(records); });
    std::latch receipts(kTogether);
    int failed = 0;
    ours.time_us([&] {
      for (const OpDraft& sale : sales) {
        till.record(sale, [&](const Result<Receipt>& receipt) {
          failed += receipt ? 0 : 1;
          receipts.count_down();
        });
      }
      receipts.wait();
    });
    require_that(failed == 0, "sales were refused");
  }
  return {"32 sales at once with callbacks",
          "one thread hands 32 sales over and waits for their receipts, in turn with the reference",
          "us",
          ours,
          kReference,
          file,
          Figure::Judge::ratio_at_most,
          1.5};
}

}  // namespace

std::vector<Figure> bench_callers(const Options& o, Till& till, std::uint64_t& next) {
  std::vector<Figure> figures = many_threads(o, till, next);
  figures.push_back(many_callbacks(o, till, next));
  return figures;
}

}  // namespace tillsync::bench
