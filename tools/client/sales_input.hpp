// A file of sales that somebody named on the command line.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tools/client/sales/sales_file.hpp"

namespace tillsync::client {

// `columns`: NAME=HEADER each, for columns that are not recognised. Rows that can't be read are said on stderr, with
// their line numbers. Failure when the file can't be read at all.
sales::SalesFile read_sales_file(const std::string& path, const std::vector<std::string>& columns);

}  // namespace tillsync::client
