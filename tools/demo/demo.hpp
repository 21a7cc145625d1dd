// Deals a file's sales over some tills, cuts the cloud off, kills the host, brings both back, and reconciles.
#pragma once

#include <string>
#include <vector>

namespace tillsync::demo {

struct DemoArguments {
  std::string sales, report, store;
  int tills = 4;
  std::vector<std::string> columns;
};
void run_demo(const DemoArguments& a);  // Failure when anything was lost, doubled, out of order or mismatched

}  // namespace tillsync::demo
