// A till in twenty lines: open, record a sale, show its receipt and where it is.
#include <iostream>
#include <tillsync/till.hpp>

int main(int argc, char** argv) {
  using namespace tillsync;
  auto till = Till::open({.folder = argc > 1 ? argv[1] : "till-1-data", .branch = "main-street", .till = "till-1"});
  if (!till) return std::cerr << till.error().message << '\n', 1;

  OpDraft sale{.kind = OpKind::sale, .key = "2024-06-01/till-1/17", .cashier = "ann", .document = {}};
  sale.document.lines.push_back({.sku = "bread", .quantity = Quantity::units(2), .unit_price = 350, .name = "Bread"});
  const Result<Receipt> receipt = (*till)->record(sale);  // on disk when this returns
  if (!receipt) return std::cerr << receipt.error().message << '\n', 1;

  const Status status = (*till)->status();
  std::cout << "receipt " << receipt->seq.value << ' ' << receipt->hash.short_hex() << '\n'
            << status.recorded << " recorded, " << status.unsent << " not in the cloud yet\n"
            << "bread on the shelf: " << (*till)->stock("bread")->milli / 1000 << '\n';
}
