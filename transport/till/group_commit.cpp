#include "transport/till/group_commit.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <limits>
#include <set>

namespace tillsync {

namespace {
constexpr int kAll = std::numeric_limits<int>::max();
}

// Either this sees who sleeps, or who is about to sleep sees that it was rung.
void GroupCommit::WakeWord::ring(int callers) {
  rung.fetch_add(1);
  if (sleepers == 0) return;
  ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&rung), FUTEX_WAKE_PRIVATE, callers, nullptr, nullptr, 0);
}

void GroupCommit::WakeWord::sleep(std::uint32_t heard, std::optional<std::chrono::microseconds> at_most) {
  static_assert(sizeof rung == sizeof(std::uint32_t) && decltype(rung)::is_always_lock_free);
  timespec limit{};
  if (at_most) limit.tv_nsec = std::chrono::nanoseconds(*at_most).count();
  ++sleepers;
  ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&rung), FUTEX_WAIT_PRIVATE, heard, at_most ? &limit : nullptr,
            nullptr, 0);
  --sleepers;
}

Result<Receipt> GroupCommit::record(ValidDraft draft) {
  std::unique_lock lock(mutex_);
  const std::uint64_t mine = flush_;
  Caller me{std::move(draft), wakes_[mine % 2]};
  waiting_.push_back(&me);
  for (bool watches = false;;) {
    // Whose own flush is made by another thread may be woken in the place of those who wait on the same bell.
    const bool enough = waiting_.size() >= predictor_.expected() || watches || mine != flush_;
    if (!led_ && !waiting_.empty() && enough) lead(lock);
    watches = !led_ && mine == flush_ && !std::exchange(watched_, true);
    const std::uint32_t heard = me.wake.rung;
    lock.unlock();
    if (!me.answered) me.wake.sleep(heard, watches ? std::optional(BatchPredictor::kLongestWait) : std::nullopt);
    if (me.answered) return std::move(*me.result);
    lock.lock();
  }
}

// Of those who came meanwhile nobody watches: one is woken.
void GroupCommit::lead(std::unique_lock<std::mutex>& lock) {
  led_ = true;
  watched_ = false;
  const std::vector<Caller*> all = std::exchange(waiting_, {});
  predictor_.came(all.size());
  ++flush_;
  lock.unlock();
  serve_(all);
  lock.lock();
  led_ = false;
  if (!waiting_.empty()) wakes_[flush_ % 2].ring(1);
}

void GroupCommit::answer(Answers answers) {
  std::set<WakeWord*> wakes;
  for (auto& [caller, result] : answers) {
    wakes.insert(&caller->wake);
    caller->result = std::move(result);
    caller->answered = true;
  }
  for (WakeWord* wake : wakes) wake->ring(kAll);
}

}  // namespace tillsync
