#include "transport/group_commit.hpp"

#include <algorithm>
#include <utility>

namespace tillsync {

Result<Receipt> GroupCommit::record(ValidDraft draft) {
  Caller me{std::move(draft)};
  std::unique_lock lock(mutex_);
  waiting_.push_back(&me);
  if (gathering_ && waiting_.size() >= expected_) arrived_.notify_one();
  if (led_) {
    me.wake.wait(lock, [&] { return me.result || me.leads; });
    if (me.result) return std::move(*me.result);
  }
  led_ = true;
  gather(lock);
  const std::vector<Caller*> all = std::exchange(waiting_, {});
  expected_ = std::max(last_, all.size());
  last_ = all.size();
  lock.unlock();
  serve_(all);
  lock.lock();
  led_ = !waiting_.empty();
  if (led_) {
    waiting_.front()->leads = true;
    waiting_.front()->wake.notify_one();
  }
  me.wake.wait(lock, [&] { return me.result.has_value(); });
  return std::move(*me.result);
}

void GroupCommit::gather(std::unique_lock<std::mutex>& lock) {
  if (waiting_.size() >= expected_) return;
  gathering_ = true;
  arrived_.wait_for(lock, kLongestWait, [&] { return waiting_.size() >= expected_; });
  gathering_ = false;
}

void GroupCommit::finish(Caller& caller, Result<Receipt> result) {
  const std::lock_guard lock(mutex_);
  caller.result = std::move(result);
  caller.wake.notify_one();
}

}  // namespace tillsync
