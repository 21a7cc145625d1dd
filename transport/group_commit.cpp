#include "transport/group_commit.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <limits>

namespace tillsync {

namespace {
constexpr int kAll = std::numeric_limits<int>::max();
}

void GroupCommit::sleep(Bell& bell, std::uint32_t rung) {
  static_assert(sizeof(Bell) == sizeof(std::uint32_t) && Bell::is_always_lock_free);
  ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&bell), FUTEX_WAIT_PRIVATE, rung, nullptr, nullptr, 0);
}

void GroupCommit::ring(Bell& bell, int callers) {
  bell.fetch_add(1, std::memory_order_release);
  ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&bell), FUTEX_WAKE_PRIVATE, callers, nullptr, nullptr, 0);
}

void GroupCommit::ring() {
  for (Bell& bell : bells_) ring(bell, kAll);
}

Result<Receipt> GroupCommit::record(ValidDraft draft) {
  Caller me{std::move(draft)};
  std::unique_lock lock(mutex_);
  Bell& bell = bells_[flush_ % 2];
  waiting_.push_back(&me);
  if (gathering_ && waiting_.size() >= crowd_.expected()) arrived_.notify_one();
  for (;;) {
    if (!led_ && !waiting_.empty()) lead(me, lock);
    const std::uint32_t rung = bell.load(std::memory_order_acquire);
    lock.unlock();
    if (!me.answered.load(std::memory_order_acquire)) sleep(bell, rung);
    if (me.answered.load(std::memory_order_acquire)) return std::move(*me.result);
    lock.lock();
  }
}

void GroupCommit::lead(const Caller& me, std::unique_lock<std::mutex>& lock) {
  led_ = true;
  gather(lock);
  const std::vector<Caller*> all = std::exchange(waiting_, {});
  Bell& theirs = bells_[flush_++ % 2];
  crowd_.came(all.size());
  lock.unlock();
  serve_(all);
  if (all.size() > 1 || all.front() != &me) ring(theirs, kAll);
  lock.lock();
  led_ = false;
  if (!waiting_.empty()) ring(bells_[flush_ % 2], 1);
}

void GroupCommit::gather(std::unique_lock<std::mutex>& lock) {
  const auto all_here = [&] { return waiting_.size() >= crowd_.expected(); };
  if (all_here()) return;
  gathering_ = true;
  arrived_.wait_for(lock, Crowd::kLongestWait, all_here);
  gathering_ = false;
}

void GroupCommit::finish(Caller& caller, Result<Receipt> result) {
  caller.result = std::move(result);
  caller.answered.store(true, std::memory_order_release);
}

}  // namespace tillsync
