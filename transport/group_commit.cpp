#include "transport/group_commit.hpp"

#include <algorithm>
#include <utility>

namespace tillsync {

namespace {
void wake(std::atomic<int>& state, int to) {
  state.store(to, std::memory_order_release);
  state.notify_one();
}
}  // namespace

Result<Receipt> GroupCommit::record(ValidDraft draft) {
  Caller me{std::move(draft)};
  std::unique_lock lock(mutex_);
  waiting_.push_back(&me);
  if (gathering_ && waiting_.size() >= expected_) arrived_.notify_one();
  if (std::exchange(led_, true)) {
    lock.unlock();
    me.state.wait(Caller::waits, std::memory_order_acquire);
    if (me.state.load(std::memory_order_acquire) == Caller::answered) return std::move(*me.result);
    lock.lock();
  }
  gather(lock);
  const std::vector<Caller*> all = std::exchange(waiting_, {});
  expected_ = std::max(last_, all.size());
  last_ = all.size();
  lock.unlock();
  me.state.store(Caller::leads, std::memory_order_relaxed);
  serve_(all);
  lock.lock();
  led_ = !waiting_.empty();
  Caller* next = led_ ? waiting_.front() : nullptr;
  lock.unlock();
  if (next != nullptr) wake(next->state, Caller::leads);
  me.state.wait(Caller::leads, std::memory_order_acquire);
  return std::move(*me.result);
}

void GroupCommit::gather(std::unique_lock<std::mutex>& lock) {
  if (waiting_.size() >= expected_) return;
  gathering_ = true;
  arrived_.wait_for(lock, kLongestWait, [&] { return waiting_.size() >= expected_; });
  gathering_ = false;
}

void GroupCommit::finish(Caller& caller, Result<Receipt> result) {
  caller.result = std::move(result);
  wake(caller.state, Caller::answered);
}

}  // namespace tillsync
