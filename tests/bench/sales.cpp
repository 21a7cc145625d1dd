// The sales that are recorded, and how fast a program that does not wait can record them.
#include <atomic>
#include <semaphore>

#include "tests/bench/bench.hpp"

namespace tillsync::bench {

OpDraft four_line_sale(std::uint64_t number, const std::string& till) {
  OpDraft draft{.kind = OpKind::sale, .key = till + "/" + std::to_string(number), .cashier = "ada", .document = {}};
  draft.document.invoice = std::to_string(number);
  draft.document.note = std::string(310, 'n');  // what tills print: then an op has about 600 bytes
  for (std::uint64_t i = 0; i < 4; ++i) {
    const std::string sku = "sku-" + std::to_string((number * 7 + i * 31) % 100);
    draft.document.lines.push_back(
        {sku, Quantity::units(1 + static_cast<std::int64_t>(i)), 199, "A product called " + sku});
  }
  return draft;
}

Bytes as_record(std::uint64_t number) { return Bytes(600, static_cast<char>('a' + number % 26)); }

void sell(Till& till, std::uint64_t from, std::uint64_t count) {
  constexpr std::ptrdiff_t kWindow = 4096;
  std::counting_semaphore<kWindow> window(kWindow);
  std::atomic<std::uint64_t> failed = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    window.acquire();
    till.record(four_line_sale(from + i, "till-1"), [&](Result<Receipt> receipt) {
      failed += receipt ? 0 : 1;
      window.release();
    });
  }
  for (std::ptrdiff_t i = 0; i < kWindow; ++i) window.acquire();
  require_that(failed == 0, "sales were refused");
}

}  // namespace tillsync::bench
