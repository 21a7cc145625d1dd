// Sales as CSV: what is read, written again by the rules of RFC 4180, is read as the same.
#include "tools/client/sales/csv.hpp"

#include <sstream>

#include "tests/fuzz/fuzz.hpp"
#include "tools/client/sales/sales_file.hpp"

using namespace tillsync;

namespace {

std::string quoted(const std::string& field) {
  std::string out = "\"";
  for (const char c : field) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

std::vector<std::vector<std::string>> rows_of(const std::string& text, bool& broken) {
  std::istringstream in(text);
  std::vector<std::vector<std::string>> rows;
  sales::read_csv(in, [&](sales::CsvRow row) {
    broken = broken || row.broken;
    rows.push_back(std::move(row.fields));
  });
  return rows;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  bool broken = false;
  const auto rows = rows_of(text, broken);
  if (!broken) {
    std::string again;
    for (const auto& row : rows) {
      for (std::size_t i = 0; i < row.size(); ++i) again += (i == 0 ? "" : ",") + quoted(row[i]);
      again += "\r\n";
    }
    fuzz::require(rows_of(again, broken) == rows && !broken, "CSV that reads otherwise when it is written again");
  }
  std::istringstream in("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID\n" + text);
  const auto file = sales::read_sales(in, {});
  fuzz::require(file.has_value() && file->bad.size() <= sales::SalesFile::kMaxBad, "a sales file with good headers");
  std::istringstream bare(text);
  (void)sales::read_sales(bare, {});
  return 0;
}
