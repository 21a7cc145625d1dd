// The cloud's fold of stock events, on the store that it runs on.
#include <algorithm>

#include "engine/ledger/ledger.hpp"
#include "storage/base/random.hpp"
#include "tests/bench/bench.hpp"

namespace tillsync::bench {

namespace {

struct Product {
  Ledger ledger;
  std::vector<StockEvent> timeline;  // sorted
};

StockEvent event(std::uint64_t i, std::uint64_t late_ms) {
  return {Hlc::at(1'770'000'000'000 + static_cast<std::int64_t>(i * 1000 - late_ms)),
          {TillId{"till-" + std::to_string(i % 4)}, Incarnation{1 + i % 4}},
          Seq{i + 1},
          i % 5000 == 0,
          i % 5000 == 0 ? 1'000'000 : -1000,
          i % 5000 == 0};
}

void add(Product& p, std::vector<StockEvent>& fresh) {
  std::sort(fresh.begin(), fresh.end());
  const StockPlace first = fresh.front().place();
  for (const StockEvent& each : fresh) {
    const auto at = std::upper_bound(p.timeline.begin(), p.timeline.end(), each);
    p.timeline.insert(at, each);
  }
  p.ledger.add(fresh, first, [&](const StockPlace& after) {
    const auto from = std::ranges::upper_bound(p.timeline, after, {}, [](const StockEvent& e) { return e.place(); });
    return std::vector<StockEvent>(from, p.timeline.end());
  });
  fresh.clear();
}

}  // namespace

std::vector<Figure> bench_fold(const Options& o) {
  constexpr std::size_t kProducts = 100, kBatch = 40;  // events of a product in one push of a thousand sales
  const std::uint64_t events = o.scaled<std::uint64_t>(1'000'000, 20'000);
  Samples rates;
  for (int round = 0; round < o.scaled(5, 1); ++round) {
    Random random(static_cast<std::uint64_t>(round) + 1);
    std::vector<Product> products(kProducts);
    std::vector<std::vector<StockEvent>> fresh(kProducts);
    const auto start = Clock::now();
    for (std::uint64_t i = 0; i < events; ++i) {
      const std::uint64_t late = random.below(100) == 0 ? 1 + random.below(3'600'000) : 0;  // up to an hour
      const std::size_t which = random.below(kProducts);
      fresh[which].push_back(event(i, std::min(late, i * 1000)));
      if (fresh[which].size() == kBatch) add(products[which], fresh[which]);
    }
    for (std::size_t p = 0; p < kProducts; ++p) {
      if (!fresh[p].empty()) add(products[p], fresh[p]);
    }
    rates.add(static_cast<double>(events) / seconds_since(start));
  }
  return {{"fold of stock events, 1 % of them up to an hour late",
           std::to_string(events) + " events of 100 products, 40 at a time, timelines in memory; making them included",
           "events/s",
           rates,
           "",
           {},
           Figure::Judge::value_at_least,
           500'000}};
}

}  // namespace tillsync::bench
