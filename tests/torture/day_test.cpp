// A day and a night in one process: what a till, its host and its cloud remember does not grow with what they have
// done.
#include <doctest/doctest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "sim/world/fleet.hpp"

using namespace tillsync;
using std::chrono::hours;
using std::chrono::minutes;

namespace {

// Small allocations only: the simulator's disks and lists of receipts are the large ones, and theirs is to grow.
std::atomic<std::int64_t> small_bytes{0};

void count(void* memory, int sign) {
  constexpr std::size_t kLarge = 32 * 1024;
  const std::size_t bytes = ::malloc_usable_size(memory);
  if (bytes < kLarge) small_bytes += sign * static_cast<std::int64_t>(bytes);
}

std::int64_t heap_kib() { return small_bytes / 1024; }

void trade(sim::Fleet& fleet, int from_hour, int until_hour, int sales_an_hour) {
  const auto pause = std::chrono::duration_cast<Duration>(hours(1)) / sales_an_hour;
  for (int n = from_hour * sales_an_hour; n < until_hour * sales_an_hour; ++n) {
    fleet.sell(1 + n % fleet.size(), "s" + std::to_string(n), "sku-" + std::to_string(n % 50));
    fleet.world().run_for(pause);
  }
}

}  // namespace

void* operator new(std::size_t bytes) {
  void* const memory = std::malloc(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  count(memory, 1);
  return memory;
}

void operator delete(void* memory) noexcept {
  count(memory, -1);
  std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

TEST_CASE("24 hours of simulated trade in one process: memory does not grow, and neither does it at night") {
  sim::FleetPlan plan;
  plan.tills = 3;
  plan.keep = minutes(30);
  sim::Fleet fleet(plan);
  trade(fleet, 0, 3, 420);
  const std::int64_t morning = heap_kib();
  trade(fleet, 3, 13, 420);
  const std::int64_t noon = heap_kib();
  trade(fleet, 13, 24, 420);
  const std::int64_t evening = heap_kib();
  fleet.world().run_for(hours(8));
  const std::int64_t night = heap_kib();
  fleet.world().run_for(hours(4));
  const std::int64_t next_day = heap_kib();
  MESSAGE("KiB after 3, 13 and 24 hours of trade: " << morning << ", " << noon << ", " << evening
                                                    << "; after 8 and 12 of night: " << night << ", " << next_day);
  CHECK(evening < noon + 64);  // 4,620 sales: a pointer for each, kept by all three tills, would be 108
  CHECK(next_day < night + 32);
  REQUIRE(fleet.settle(minutes(5)));
  CHECK(fleet.till(1).receipts().size() + fleet.till(2).receipts().size() + fleet.till(3).receipts().size() ==
        24 * 420);
  std::int64_t sold = 0;
  for (const auto& [sku, milli] : fleet.cloud_stock()) sold -= milli;
  CHECK(sold == 24 * 420 * 1000);
}
