// Finds the branch's tills by mDNS (RFC 6762, RFC 6763) with Avahi's in-process stack: no daemon, no D-Bus. It only
// proposes addresses: who is there is settled by the handshake, whether it is alive by the heartbeat. Runs a thread of
// its own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <tillsync/ids.hpp>

#include "transport/base/log.hpp"
#include "transport/base/address.hpp"

namespace tillsync {

struct DiscoverySettings {
  BranchId branch;
  TillId till;
  std::uint16_t port = 0;
  std::string interface;   // "eth0"; empty for every one but loopback
  std::uint64_t seed = 0;  // for the random instance and host names
};

struct Sighting {
  BranchId branch;
  TillId till;
  Address address;
};

class Discovery {
 public:
  // `on_seen` is called from the discovery's thread. Errors: refused (no such interface, no multicast).
  static Result<std::unique_ptr<Discovery>> start(DiscoverySettings settings, std::function<void(Sighting)> on_seen,
                                                  Log log);
  ~Discovery();
  void announce(std::uint64_t term, bool host);  // in the TXT record

 private:
  Discovery();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tillsync
