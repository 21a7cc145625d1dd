// A retail CSV as ops: rows of one invoice become a sale, its negative quantities (or all of it, when the invoice
// starts with C) a refund. Columns are recognised by name, case-blind; docs/running-a-shop.md lists them.
#pragma once

#include <cstdint>
#include <istream>
#include <map>
#include <optional>
#include <string>
#include <tillsync/op.hpp>
#include <tillsync/result.hpp>
#include <vector>

namespace tillsync::sales {

struct BadRow {
  std::uint64_t line = 0;
  std::string why;
};

struct SalesFile {
  std::vector<OpDraft> ops;  // in the order of their invoices' first rows
  std::uint64_t invoices = 0;
  std::uint64_t lines = 0;
  std::uint64_t bad_rows = 0;
  std::vector<BadRow> bad;                   // the first kMaxBad of them
  std::int64_t milli = 0;                    // signed sum: sold minus refunded
  std::map<std::string, std::int64_t> sold;  // by sku, the same sign

  static constexpr std::size_t kMaxBad = 1000;
};

// `columns` names a header for a column: {"sku", "Artikel"}. Errors: invalid, when a needed column is missing or a name
// unknown.
Result<SalesFile> read_sales(std::istream& in, const std::map<std::string, std::string>& columns);

// "12.5" -> 12,500 thousandths; nothing for what is no plain number, or is beyond a billion.
std::optional<std::int64_t> parse_scaled(const std::string& text, int decimals);

// Milliseconds since 1970 (the shop's local time taken as UTC) of the usual forms: 30/10/2016, 2011-12-09, 12/1/2010
// 8:26, 2009-12-01 07:45:00. Day first where that is possible.
std::optional<std::int64_t> parse_time(const std::string& date, const std::string& time);

}  // namespace tillsync::sales
