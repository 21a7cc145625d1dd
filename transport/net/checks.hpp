// What `tillsync doctor` looks at on a machine, each with one sentence that says what to do. Nothing here changes
// anything; the longest takes some seconds.
#pragma once

#include <string>
#include <tillsync/result.hpp>
#include <vector>

#include "transport/net/links.hpp"

namespace tillsync {

struct Finding {
  std::string what;  // "disk"
  bool good = true;
  std::string words;
};

Finding check_clock();  // does anything keep it right?
Finding check_space(const std::string& folder);
Finding check_permissions(const std::string& folder);  // keys are for their owner's eyes alone
// `running`: the process that this is about listens there already.
Finding check_port(const Address& listen, bool running);
Finding check_reach(const std::string& what, const Address& there);
Finding check_multicast(const std::string& interface);  // a packet to the mDNS group comes back to this machine
Finding check_versions();

}  // namespace tillsync
