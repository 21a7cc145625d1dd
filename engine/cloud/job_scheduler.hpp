// What the cloud's database does next. Asks wait in a queue; a lane is a transaction that may run at the same time as
// those of the other lanes. Two lanes never work for one branch at once. A job that failed is run again, later and
// later, until the database works: an outage refuses nothing.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <tillsync/time.hpp>
#include <vector>

#include "engine/cloud/cloud_actions.hpp"

namespace tillsync {

class JobScheduler {
 public:
  static constexpr std::size_t kMaxJobBytes = 8 << 20;  // asks grouped into one transaction
  // Of one branch: less than a till has under way, so that it sends the next while these are written.
  static constexpr std::size_t kMaxBranchBytes = 2 << 20;
  static constexpr std::size_t kMaxQueuedAsks = 4096;  // the windows of honest peers keep them far below
  static constexpr Duration kFirstPause = milliseconds(250), kLongestPause = seconds(8);  // while the database is away

  // `lanes`: jobs that may run at once. Leases are the first lane's.
  explicit JobScheduler(std::size_t lanes) : lanes_(lanes) {}

  void add(CloudAsk ask) { queue_.push_back(std::move(ask)); }
  std::size_t queued() const { return queue_.size(); }
  // For each free lane a job: the one that failed, when its pause is over, or a new one. `complete` adds to a new job
  // what the scheduler does not know.
  using Complete = std::function<void(CloudJob&)>;
  std::vector<CloudActions::Job> start(Now now, const Complete& complete);

  // The lane's job failed. True: for the first time.
  bool failed(Now now, std::size_t lane, const Error& why);
  struct Ended {
    bool had_failed = false;
    ChangedFeeds missed;  // changed while the job ran, which may not have seen it
  };
  Ended ended(std::size_t lane);
  void on_rows_changed(const ChangedFeeds& feeds);

  std::optional<Instant> next_wake() const;
  std::optional<Error> trouble() const;  // why jobs wait that can't be stored

 private:
  struct Lane {
    std::shared_ptr<const CloudJob> job;  // running, or to be run again
    bool running = false;
    std::optional<Instant> retry_at;
    std::optional<Error> failed;
    Duration pause = kFirstPause;
    ChangedFeeds missed = std::set<CloudNews>{};
  };
  CloudJob form(Now now, bool first_lane);
  std::set<BranchKey> busy() const;

  std::deque<CloudAsk> queue_;
  std::vector<Lane> lanes_;
};

}  // namespace tillsync
