// What the cloud's core wants done, by whoever drives it.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "engine/actions.hpp"
#include "engine/cloud/cloud_job.hpp"

namespace tillsync {

struct CloudActions {
  struct Job {
    std::size_t lane;  // which on_done() answers for
    std::shared_ptr<const CloudJob> job;
  };
  std::vector<Job> jobs;
  std::vector<std::shared_ptr<const PushReading>> to_read;  // one after the other, on another thread if there is one
  std::vector<Actions::Send> sends;
  std::vector<PeerId> hang_up;
  std::vector<Notice> notices;
  std::vector<CloudReply> replies;
};

// Feeds with something new; nothing: it may be any of them.
using ChangedFeeds = std::optional<std::set<CloudNews>>;

}  // namespace tillsync
