// The IPv4 addresses that this machine can be reached at.
#pragma once

#include <string>
#include <vector>

namespace tillsync {

struct InterfaceAddress {
  std::string name;
  int index = 0;
  std::string address;
  auto operator<=>(const InterfaceAddress&) const = default;
};

// Those of one interface, or of every one that is up and no loopback when `only` is empty. Sorted.
std::vector<InterfaceAddress> interface_addresses(const std::string& only);

}  // namespace tillsync
