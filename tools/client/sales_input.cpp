#include "tools/client/sales_input.hpp"

#include <fstream>
#include <iostream>

#include "tools/client/failure.hpp"

namespace tillsync::client {

namespace {

std::map<std::string, std::string> column_names(const std::vector<std::string>& options) {
  std::map<std::string, std::string> out;
  for (const std::string& option : options) {
    const std::size_t at = option.find('=');
    if (at == std::string::npos || at == 0)
      throw Failure{"'" + option + "' is no column: write NAME=HEADER, such as sku=Artikel"};
    out[option.substr(0, at)] = option.substr(at + 1);
  }
  return out;
}

void report_bad_rows(const sales::SalesFile& file) {
  constexpr std::size_t kShown = 20;
  for (std::size_t i = 0; i < file.bad.size() && i < kShown; ++i) {
    std::cerr << "line " << file.bad[i].line << ": " << file.bad[i].why << "; left out\n";
  }
  if (file.bad_rows > kShown)
    std::cerr << "and " << file.bad_rows - kShown << " more rows that can't be read; left out\n";
}

}  // namespace

sales::SalesFile read_sales_file(const std::string& path, const std::vector<std::string>& columns) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Failure{"can't read " + path + ": check the path"};
  sales::SalesFile file = require(sales::read_sales(in, column_names(columns)));
  report_bad_rows(file);
  return file;
}

}  // namespace tillsync::client
