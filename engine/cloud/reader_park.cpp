#include "engine/cloud/reader_park.hpp"

#include <algorithm>
#include <iterator>

namespace tillsync {

void ReaderPark::park(CloudAsk pull) {
  const PeerId peer = pull.from;
  leave(peer);
  for (const std::string& feed : std::get<Pull>(pull.what).feeds) by_feed_[{pull.branch.tenant, feed}].insert(peer);
  pulls_.emplace(peer, std::move(pull));
}

void ReaderPark::leave(PeerId peer) {
  if (pulls_.contains(peer)) (void)take(peer);
}

std::vector<CloudAsk> ReaderPark::wake(const ChangedFeeds& feeds) {
  std::set<PeerId> woken;
  if (feeds) {
    for (const CloudNews& feed : *feeds) {
      const auto waiting = by_feed_.find(feed);
      if (waiting != by_feed_.end()) woken.insert(waiting->second.begin(), waiting->second.end());
    }
  } else {
    for (const auto& [peer, pull] : pulls_) woken.insert(peer);
  }
  std::vector<CloudAsk> out;
  for (PeerId peer : woken) out.push_back(take(peer));
  return out;
}

CloudAsk ReaderPark::take(PeerId peer) {
  CloudAsk pull = std::move(pulls_.extract(peer).mapped());
  for (const std::string& feed : std::get<Pull>(pull.what).feeds) {
    const auto waiting = by_feed_.find({pull.branch.tenant, feed});
    if (waiting == by_feed_.end()) continue;
    waiting->second.erase(peer);
    if (waiting->second.empty()) by_feed_.erase(waiting);
  }
  return pull;
}

}  // namespace tillsync
