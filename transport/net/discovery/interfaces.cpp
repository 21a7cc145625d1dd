#include "transport/net/discovery/interfaces.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>

namespace tillsync {

std::vector<InterfaceAddress> interface_addresses(const std::string& only) {
  std::vector<InterfaceAddress> found;
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return found;
  for (const ifaddrs* each = all; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr || each->ifa_addr->sa_family != AF_INET || (each->ifa_flags & IFF_UP) == 0) continue;
    const bool loopback = (each->ifa_flags & IFF_LOOPBACK) != 0;
    if (only.empty() ? loopback : only != each->ifa_name) continue;
    char text[INET_ADDRSTRLEN] = {};
    const auto* address = reinterpret_cast<const sockaddr_in*>(each->ifa_addr);
    if (::inet_ntop(AF_INET, &address->sin_addr, text, sizeof text) == nullptr) continue;
    found.push_back({each->ifa_name, static_cast<int>(::if_nametoindex(each->ifa_name)), text});
  }
  ::freeifaddrs(all);
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace tillsync
