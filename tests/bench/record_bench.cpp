// Recording on a till that has sold a million times before, beside what else one could write a sale to.
#include <sys/wait.h>
#include <unistd.h>

#include <barrier>
#include <csignal>
#include <latch>
#include <thread>
#include <tillsync/till.hpp>

#include "storage/journal.hpp"
#include "tests/bench/bench.hpp"
#include "tests/bench/references.hpp"
#include "tools/command.hpp"
#include "transport/group_commit.hpp"

namespace tillsync::bench {

namespace {

std::unique_ptr<Till> open_till(const std::string& folder) {
  return cli::require(Till::open({.folder = folder, .branch = "main", .till = "till-1", .network = false}));
}

// As many bytes as the sale's op has.
Bytes as_record(std::uint64_t number) { return Bytes(600, static_cast<char>('a' + number % 26)); }

// One of ours and one of each of the others, over and over, so that the disk is the same for all.
std::vector<Figure> one_caller(const Options& o, Till& till, std::uint64_t& next) {
  Samples ours, file, lmdb, sqlite;
  auto a = bare_file(o.where), b = plain_lmdb(o.where), c = sqlite_wal(o.where);
  const int rounds = o.scaled(3000, 50);
  for (int i = 0; i < rounds; ++i) {
    const OpDraft sale = four_line_sale(next++, "till-1");
    const std::vector<Bytes> record{as_record(next)};
    file.time_us([&] { a->write(record); });
    ours.time_us([&] { cli::require(till.record(sale)); });
    lmdb.time_us([&] { b->write(record); });
    sqlite.time_us([&] { c->write(record); });
  }
  const std::string how = "in turn with the others, " + std::to_string(rounds) + " times, on a till that has sold " +
                          std::to_string(next - static_cast<std::uint64_t>(rounds)) + " times";
  using Judge = Figure::Judge;
  return {{"record(), one caller", how, "us", ours, "append + fdatasync", file, Judge::ratio_at_most, 1.25},
          {"record(), one caller, p99", how, "us", ours, "append + fdatasync", file, Judge::ratio_at_most, 2, 0.99},
          {"record(), one caller", "the same", "us", ours, "plain LMDB", lmdb, Judge::ratio_at_most, 0},
          {"record(), one caller", "the same", "us", ours, "SQLite, WAL, FULL", sqlite, Judge::ratio_at_most, 0}};
}

constexpr std::size_t kAtOnce = 32;
constexpr char kReference[] = "32 appends + fdatasync";

std::vector<Bytes> records_at_once() {
  std::vector<Bytes> records;
  for (std::size_t i = 0; i < kAtOnce; ++i) records.push_back(as_record(i));
  return records;
}

std::vector<OpDraft> next_sales(std::uint64_t& next, std::size_t count) {
  std::vector<OpDraft> sales;
  for (std::size_t i = 0; i < count; ++i) sales.push_back(four_line_sale(next++, "till-1"));
  return sales;
}

constexpr std::size_t kEach = 50;  // sales of a caller in a stretch

// Each caller records one sale after the other and waits for each. us for 32 sales.
double callers_us(const std::function<void(std::size_t sale)>& record) {
  std::barrier together(kAtOnce + 1);
  std::vector<std::jthread> callers;
  for (std::size_t c = 0; c < kAtOnce; ++c) {
    callers.emplace_back([&, c] {
      together.arrive_and_wait();
      for (std::size_t i = 0; i < kEach; ++i) record(c * kEach + i);
      together.arrive_and_wait();
    });
  }
  together.arrive_and_wait();
  const auto start = Clock::now();
  together.arrive_and_wait();
  return seconds_since(start) * 1e6 / kEach;
}

// What 32 threads that wait for each other's flush cost by themselves: group commit and journal, without the core.
double bare_callers_us(Journal& journal, const std::vector<OpDraft>& sales) {
  GroupCommit commit([&](const std::vector<GroupCommit::Caller*>& callers) {
    cli::require(journal.append(std::vector<Bytes>(callers.size(), as_record(0))));
    for (GroupCommit::Caller* each : callers) GroupCommit::finish(*each, Receipt{});
  });
  std::vector<ValidDraft> drafts;
  for (const OpDraft& sale : sales) drafts.push_back(cli::require(ValidDraft::of(sale)));
  return callers_us([&](std::size_t i) { cli::require(commit.record(std::move(drafts[i]))); });
}

std::vector<Figure> many_callers(const Options& o, Till& till, std::uint64_t& next) {
  Samples ours, file, bare;
  auto reference = bare_file(o.where);
  const auto disk = posix_disk();
  JournalReport report;
  auto journal = cli::require(Journal::open(
      *disk, o.where + "/bare-journal", {}, {}, [](auto&&...) {}, report));
  const std::vector<Bytes> records = records_at_once();
  for (int stretch = 0; stretch < o.scaled(40, 2); ++stretch) {
    const std::vector<OpDraft> sales = next_sales(next, kAtOnce * kEach);
    const auto begun = Clock::now();
    for (std::size_t i = 0; i < kEach; ++i) reference->write(records);
    file.add(seconds_since(begun) * 1e6 / kEach);
    ours.add(callers_us([&](std::size_t i) { cli::require(till.record(sales[i])); }));
    bare.add(bare_callers_us(journal, sales));
  }
  const std::string what = "32 callers at once, a batch of 32 sales",
                    how = "32 threads that each record and wait, in stretches of " + std::to_string(kEach) +
                          " sales each, in turn with as many batches of the reference; per 32 sales";
  using Judge = Figure::Judge;
  return {{what, how, "us", ours, kReference, file, Judge::ratio_at_most, 1.5},
          {what, how, "us", ours, "the same without the core", bare, Judge::ratio_at_most, 0}};
}

// The same of a program that blocks no thread: 32 sales, then all their receipts.
Figure many_callbacks(const Options& o, Till& till, std::uint64_t& next) {
  Samples ours, file;
  auto reference = bare_file(o.where);
  const std::vector<Bytes> records = records_at_once();
  for (int i = 0; i < o.scaled(2000, 50); ++i) {
    std::vector<OpDraft> sales = next_sales(next, kAtOnce);
    file.time_us([&] { reference->write(records); });
    std::latch receipts(kAtOnce);
    int failed = 0;
    ours.time_us([&] {
      for (OpDraft& sale : sales) {
        till.record(std::move(sale), [&](const Result<Receipt>& receipt) {
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
          0};
}

// A process that sells without pause is killed; then everything up to the first receipt of the next one.
Figure after_a_kill(const Options& o, const std::string& folder, std::uint64_t& next) {
  Samples starts;
  for (int round = 0; round < o.scaled(5, 2); ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      auto till = open_till(folder);
      sell(*till, next, 1U << 30);
      ::_exit(0);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(o.scaled(3000, 600)));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const auto start = Clock::now();
    auto till = open_till(folder);
    cli::require(till->record(four_line_sale((2ULL << 40) + next, "till-1")));
    starts.add(seconds_since(start) * 1000);
    next = till->status().recorded + (1ULL << 20) * static_cast<std::uint64_t>(round + 2);
  }
  return {"start after SIGKILL, to the first sale",
          "a till that was killed while it sold without pause, each time later",
          "ms",
          starts,
          "",
          {},
          Figure::Judge::value_at_most,
          500};
}

}  // namespace

std::vector<Figure> bench_record(const Options& o) {
  const std::string folder = o.where + "/till";
  std::uint64_t next = 1;
  auto till = open_till(folder);
  const std::uint64_t before = o.scaled<std::uint64_t>(1'000'000, 2'000);
  const auto start = Clock::now();
  sell(*till, next, before);
  next += before;
  Samples bulk;
  bulk.add(static_cast<double>(before) / seconds_since(start));
  std::vector<Figure> figures = one_caller(o, *till, next);
  for (Figure& each : many_callers(o, *till, next)) figures.push_back(std::move(each));
  figures.push_back(many_callbacks(o, *till, next));
  figures.push_back({"recording in bulk",
                     "callbacks, 4,096 waiting at most, one thread",
                     "sales/s",
                     bulk,
                     "",
                     {},
                     Figure::Judge::value_at_least,
                     0});
  till.reset();
  figures.push_back(after_a_kill(o, folder, next));
  return figures;
}

}  // namespace tillsync::bench
