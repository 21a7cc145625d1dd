// The rows of ./dev bench, one function a topic. Each makes what it needs in folders of its own below `where`.
#pragma once

#include <string>
#include <tillsync/till.hpp>
#include <vector>

#include "tests/bench/measure.hpp"

namespace tillsync::bench {

struct Options {
  bool small = false;  // seconds instead of minutes: keeps the benches working, says nothing
  std::string where;   // an empty folder on the disk that is measured
  std::string program;
  template <class T>
  T scaled(T full, T little) const {
    return small ? little : full;
  }
};

// A sale of four lines, about 600 bytes as an op.
OpDraft four_line_sale(std::uint64_t number, const std::string& till);
// Records so many from `from` on, some thousands under way at a time; returns when all are durable.
void sell(Till& till, std::uint64_t from, std::uint64_t count);

// As many bytes as such a sale's op has.
Bytes as_record(std::uint64_t number);
std::vector<Figure> bench_record(const Options& options);  // one caller, those below, the start after SIGKILL
// 32 sales at once, on this till; `next` is the number of the next sale.
std::vector<Figure> bench_callers(const Options& options, Till& till, std::uint64_t& next);
std::vector<Figure> bench_drain(const Options& options);  // to the cloud, through a host, to another till's stock
std::vector<Figure> bench_pull(const Options& options);   // changed rows, the first sync
std::vector<Figure> bench_fold(const Options& options);
std::vector<Figure> bench_day(const Options& options);  // memory and disk of a till

}  // namespace tillsync::bench
