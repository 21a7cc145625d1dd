// Pulls that found nothing new: they wait here until one of their feeds changes. One a connection.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "engine/cloud/cloud_actions.hpp"

namespace tillsync {

class ReaderPark {
 public:
  void park(CloudAsk pull);  // instead of the one that its peer had here
  void leave(PeerId peer);
  // Those that wait for one of these feeds leave, to be asked again.
  std::vector<CloudAsk> wake(const ChangedFeeds& feeds);

 private:
  CloudAsk take(PeerId peer);

  std::map<PeerId, CloudAsk> pulls_;
  std::map<CloudNews, std::set<PeerId>> by_feed_;
};

}  // namespace tillsync
