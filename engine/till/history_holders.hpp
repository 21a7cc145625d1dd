// Which tills hold ops of which histories, as far as they have shown: they let them go once they hear that the cloud
// has them.
#pragma once

#include <map>
#include <optional>

#include "engine/till/cloud_generation.hpp"
#include "engine/till/uplink.hpp"

namespace tillsync {

class HistoryHolders {
 public:
  HistoryHolders(const PeerTable& peers, const Uplink& uplink) : peers_(peers), uplink_(uplink) {}

  void on_offered(PeerId by, const ChainId& chain, Seq last) { offered_[by][chain] = last; }
  void on_peer_down(PeerId id) { offered_.erase(id); }

  std::optional<Seq> offered(PeerId by, const ChainId& chain) const {
    const auto peer = offered_.find(by);
    if (peer == offered_.end()) return std::nullopt;
    const auto it = peer->second.find(chain);
    return it == peer->second.end() ? std::nullopt : std::optional(it->second);
  }

  void tell(const Ack& of_cloud, Actions& out) const {
    const ChainId chain = of_cloud.chain.id();
    for (const auto& [id, peer] : peers_.all()) {
      const bool holds = peer.name == chain.till || offered(id, chain) || uplink_.sends(id, chain);
      if (peer.role == Role::till && holds) out.send(id, of_cloud);
    }
  }

 private:
  const PeerTable& peers_;
  const Uplink& uplink_;
  std::map<PeerId, std::map<ChainId, Seq>> offered_;
};

}  // namespace tillsync
