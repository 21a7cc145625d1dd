#include "engine/cloud/job_scheduler.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tillsync {

namespace {

// Of what is written: the asks that bring much.
std::size_t bytes_of(const CloudAsk& ask) {
  if (const auto* push = std::get_if<VerifiedPush>(&ask.what)) return push->reading->bytes();
  std::size_t bytes = 0;
  if (const auto* rows = std::get_if<ImportRows>(&ask.what)) {
    for (const ImportRow& row : rows->batch.rows) bytes += row.id.size() + row.fields.size();
  }
  return bytes;
}

}  // namespace

std::vector<CloudActions::Job> JobScheduler::start(Now now, const Complete& complete) {
  std::vector<CloudActions::Job> out;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    Lane& lane = lanes_[i];
    if (lane.running || (lane.retry_at && now.mono < *lane.retry_at)) continue;
    if (!lane.job) {
      CloudJob fresh = form(now, i == 0);
      if (fresh.asks.empty()) continue;
      complete(fresh);
      lane.job = std::make_shared<const CloudJob>(std::move(fresh));
    }
    lane.running = true;
    out.push_back({i, lane.job});
  }
  return out;
}

// Branch by branch: what the asks of one branch share is written once.
CloudJob JobScheduler::form(Now now, bool first_lane) {
  std::set<BranchKey> taken = busy();
  const auto allowed = [&](const CloudAsk& ask) {
    if (std::holds_alternative<LeaseAsk>(ask.what)) return first_lane;
    return !taken.contains(ask.branch);
  };
  CloudJob job;
  job.now = now;
  std::size_t bytes = 0;
  while (bytes < kMaxJobBytes) {
    const auto first = std::ranges::find_if(queue_, allowed);
    if (first == queue_.end()) break;
    const BranchKey branch = first->branch;
    const std::size_t enough = std::min(bytes + kMaxBranchBytes, kMaxJobBytes);
    std::erase_if(queue_, [&](CloudAsk& ask) {
      if (bytes >= enough || ask.branch != branch || !allowed(ask)) return false;
      bytes += bytes_of(ask);
      if (const auto* push = std::get_if<VerifiedPush>(&ask.what)) job.reads = std::max(job.reads, push->read_as);
      job.asks.push_back(std::move(ask));
      return true;
    });
    taken.insert(branch);  // the rest of it comes in the next job
  }
  return job;
}

std::set<BranchKey> JobScheduler::busy() const {
  std::set<BranchKey> out;
  for (const Lane& lane : lanes_) {
    if (lane.job) std::ranges::transform(lane.job->asks, std::inserter(out, out.end()), &CloudAsk::branch);
  }
  return out;
}

bool JobScheduler::failed(Now now, std::size_t index, const Error& why) {
  Lane& lane = lanes_[index];
  const bool first = !lane.retry_at;
  lane.running = false;
  lane.retry_at = now.mono + lane.pause;
  lane.failed = why;
  lane.missed.reset();  // what it has changed so far is not known
  lane.pause = std::min<Duration>(lane.pause * 2, kLongestPause);
  return first;
}

JobScheduler::Ended JobScheduler::ended(std::size_t index) {
  Lane lane = std::exchange(lanes_[index], {});
  return {lane.retry_at.has_value(), std::move(lane.missed)};
}

void JobScheduler::on_rows_changed(const ChangedFeeds& feeds) {
  for (Lane& lane : lanes_) {
    if (!lane.running || !lane.missed) continue;
    feeds ? lane.missed->insert(feeds->begin(), feeds->end()) : void(lane.missed.reset());
  }
}

std::optional<Instant> JobScheduler::next_wake() const {
  std::optional<Instant> first;
  for (const Lane& lane : lanes_) {
    if (lane.retry_at && !lane.running && (!first || *lane.retry_at < *first)) first = lane.retry_at;
  }
  return first;
}

std::optional<Error> JobScheduler::trouble() const {
  for (const Lane& lane : lanes_) {
    if (lane.failed) return lane.failed;
  }
  return std::nullopt;
}

}  // namespace tillsync
