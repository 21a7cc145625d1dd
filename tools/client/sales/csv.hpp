// RFC 4180: quoted fields with doubled quotes, commas and line ends inside; LF or CRLF; a byte order mark is skipped;
// text that is not UTF-8 is read as Latin-1.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <string>
#include <vector>

namespace tillsync::sales {

struct CsvRow {
  std::uint64_t line = 0;  // where it starts, from 1
  std::vector<std::string> fields;
  bool broken = false;  // a quote that never closes, or a row of more than 1 MiB
};

// Visits every row that is not blank.
void read_csv(std::istream& in, const std::function<void(CsvRow)>& visit);

}  // namespace tillsync::sales
