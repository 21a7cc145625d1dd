// Rows from headquarters' file of JSON lines to the cloud, resumable.
#pragma once

#include <string>

namespace tillsync::client {

struct RowsArguments {
  std::string data, branch, group, kind, file;
  bool stop_on_bad = false;  // else it is left out
};
void import_rows(const RowsArguments& a);

}  // namespace tillsync::client
