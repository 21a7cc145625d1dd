// Rows from headquarters' file to the cloud.
#pragma once

#include "tools/cli/cli.hpp"

namespace tillsync::cli {

struct RowsArguments {
  std::string data, branch, group, kind, file;
  bool stop_on_bad = false;  // else it is left out
};
void import_rows(const RowsArguments& a);

}  // namespace tillsync::cli
