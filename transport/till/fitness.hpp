// How fit this machine is to host its branch: room on its disk first, then mains power, a wired network, and whether it
// has been up for a while.
#pragma once

#include <cstdint>
#include <string>

namespace tillsync {

struct Fitness {
  bool room = true;     // at least 1 GiB free where the data lies
  bool mains = true;    // or no battery at all
  bool wired = true;    // or no wireless interface that is up
  bool settled = true;  // up for ten minutes
  std::uint32_t value() const { return (room ? 8U : 0U) + (mains ? 4U : 0U) + (wired ? 2U : 0U) + (settled ? 1U : 0U); }
};

// `sys` is /sys, or a test's folder of that shape. What can't be read counts in its favour.
Fitness read_fitness(const std::string& data_folder, const std::string& sys = "/sys");

}  // namespace tillsync
