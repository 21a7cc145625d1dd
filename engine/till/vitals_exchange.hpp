// Tills tell each other how they are: how fit to host, how much they have not sent, which roster they hold.
#pragma once

#include <algorithm>
#include <map>
#include <optional>

#include "engine/till/peer_health.hpp"

namespace tillsync {

class VitalsExchange {
 public:
  static constexpr Duration kEvery = seconds(10);  // if nothing changed but what is unsent

  explicit VitalsExchange(const PeerTable& peers) : peers_(peers) {}

  void tell(Instant now, const Vitals& mine, Actions& out);
  void on_peer_down(PeerId id) { last_sent_.erase(id); }
  Instant next_wake(Instant latest) const { return due_ ? std::min(latest, *due_) : latest; }

 private:
  struct Sent {
    std::optional<Vitals> vitals;
    Instant next;
  };
  const PeerTable& peers_;
  std::map<PeerId, Sent> last_sent_;
  std::optional<Instant> due_;
};

}  // namespace tillsync
