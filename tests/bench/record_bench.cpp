// Recording on a till that has sold a million times before, beside what else one could write a sale to.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>
#include <tillsync/till.hpp>

#include "tests/bench/bench.hpp"
#include "tests/bench/references.hpp"
#include "tools/client/failure.hpp"

namespace tillsync::bench {

namespace {

std::unique_ptr<Till> open_till(const std::string& folder) {
  return client::require(Till::open({.folder = folder, .branch = "main", .till = "till-1", .network = false}));
}

// One of ours and one of each of the others, over and over, so that the disk is the same for all.
std::vector<Figure> one_caller(const Options& o, Till& till, std::uint64_t& next) {
  Samples ours, file, lmdb, sqlite;
  auto a = bare_file(o.where), b = plain_lmdb(o.where), c = sqlite_wal(o.where);
  const int rounds = o.scaled(3000, 50);
  for (int i = 0; i < rounds; ++i) {
    const OpDraft sale = four_line_sale(next++, "till-1");
    const std::vector<Bytes> record{as_record(next)};
    file.time_us([&] { a->write(record); });
    ours.time_us([&] { client::require(till.record(sale)); });
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
    client::require(till->record(four_line_sale((2ULL << 40) + next, "till-1")));
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
  for (Figure& each : bench_callers(o, *till, next)) figures.push_back(std::move(each));
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
