// Makes the sample that ships with tillsync: a week of a small shop. Usage: make_sample > week.csv. See README.md
// beside it.
#include <array>
#include <cstdio>
#include <string_view>

#include "storage/base/random.hpp"

namespace {

struct Product {
  const char* sku;
  const char* name;
  int pence;
  int weight;      // how often it is sold
  bool by_weight;  // quantities such as 0.35
};

constexpr std::array<Product, 20> kProducts = {{
    {"1001", "Bread, wholemeal", 320, 14, false},
    {"1002", "Bread, \"rustic\"", 360, 9, false},
    {"1003", "Roll", 45, 20, false},
    {"1004", "Croissant", 180, 12, false},
    {"1005", "Apple pie, slice", 350, 5, false},
    {"2001", "Coffee", 260, 22, false},
    {"2002", "Tea", 210, 9, false},
    {"2003", "Orange juice", 310, 5, false},
    {"3001", "Milk, 1 l", 135, 8, false},
    {"3002", "Butter", 245, 5, false},
    {"3003", "Eggs, 6", 299, 5, false},
    {"3004", "Cheddar", 1250, 4, true},
    {"3005", "Ham", 1690, 3, true},
    {"4001", "Apples", 280, 6, true},
    {"4002", "Tomatoes", 340, 5, true},
    {"4003", "Potatoes", 120, 5, true},
    {"5001", "Jam, strawberry", 380, 3, false},
    {"5002", "Honey", 640, 2, false},
    {"5003", "Newspaper", 190, 7, false},
    {"5004", "Paper bag", 10, 11, false},
}};

const Product& pick(tillsync::Random& random) {
  std::uint64_t total = 0;
  for (const Product& p : kProducts) total += static_cast<std::uint64_t>(p.weight);
  std::uint64_t at = random.below(total);
  for (const Product& p : kProducts) {
    if (at < static_cast<std::uint64_t>(p.weight)) return p;
    at -= static_cast<std::uint64_t>(p.weight);
  }
  return kProducts[0];
}

void line(const char* invoice, const Product& p, int milli, int day, int minute) {
  std::printf("%s,%s,", invoice, p.sku);
  const bool quoted = p.name[0] != '\0' && (std::string_view(p.name).find_first_of(",\"") != std::string_view::npos);
  if (quoted) std::putchar('"');
  for (const char* c = p.name; *c != '\0'; ++c) *c == '"' ? std::fputs("\"\"", stdout) : std::putchar(*c);
  if (quoted) std::putchar('"');
  milli % 1000 == 0 ? std::printf(",%d", milli / 1000) : std::printf(",%.3f", milli / 1000.0);
  std::printf(",2024-06-%02d %02d:%02d,%d.%02d,%s\n", day, minute / 60, minute % 60, p.pence / 100, p.pence % 100, "");
}

}  // namespace

int main() {
  tillsync::Random random(20240603);
  std::puts("Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer");
  int number = 5000;
  for (int day = 3; day <= 9; ++day) {
    const int customers = day == 8 ? 260 : day == 9 ? 90 : 180;  // Saturday, Sunday
    for (int i = 0; i < customers; ++i) {
      const int minute = 7 * 60 + i * (11 * 60) / customers;
      char invoice[16];
      const bool refund = random.below(60) == 0;
      std::snprintf(invoice, sizeof invoice, refund ? "C%d" : "%d", ++number);
      const std::uint64_t lines = refund ? 1 : 1 + random.below(4);
      for (std::uint64_t l = 0; l < lines; ++l) {
        const Product& p = pick(random);
        const int milli = p.by_weight ? static_cast<int>(150 + 5 * random.below(270))
                                      : static_cast<int>(1000 * (1 + random.below(3)));
        line(invoice, p, refund ? -milli : milli, day, minute);
      }
    }
  }
}
