// Callers that wait for a flush share it: the first to come writes for all who are there, the others wait; then one of
// those who came meanwhile goes on. Whoever writes does so in its own thread, so that a single caller is not handed
// from thread to thread. With many, the writer waits a moment for those that it knows to be on their way back (as
// PostgreSQL's commit_delay does, but by what was seen last).
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <tillsync/op.hpp>
#include <tillsync/result.hpp>
#include <utility>
#include <vector>

#include "engine/validate.hpp"

namespace tillsync {

// How many will come for the next flush, by how many came for the last two. Whoever flushes waits for them, a moment.
class Crowd {
 public:
  static constexpr std::chrono::microseconds kLongestWait{200};
  std::size_t expected() const { return std::max(last_, before_); }
  void came(std::size_t count) { before_ = std::exchange(last_, count); }

 private:
  std::size_t last_ = 1, before_ = 1;
};

class GroupCommit {
 public:
  struct Caller {
    ValidDraft draft;
    std::optional<Result<Receipt>> result{};
    std::atomic<bool> answered{false};
  };
  // Makes all of them durable, or hands them on: then another thread calls finish(), and ring() once for all of them.
  using Serve = std::function<void(const std::vector<Caller*>&)>;

  explicit GroupCommit(Serve serve) : serve_(std::move(serve)) {}

  Result<Receipt> record(ValidDraft draft);                    // blocks
  static void finish(Caller& caller, Result<Receipt> result);  // the caller may be gone when this returns
  void ring();

 private:
  // What callers sleep on, those of every other flush on the same: one system call wakes all who shared one, and they
  // do not queue for a lock. (std::atomic::wait yields the processor a few times first: with many callers, most of the
  // work.)
  using Bell = std::atomic<std::uint32_t>;
  static void sleep(Bell& bell, std::uint32_t rung);
  static void ring(Bell& bell, int callers);
  void lead(const Caller& me, std::unique_lock<std::mutex>& lock);
  void gather(std::unique_lock<std::mutex>& lock);

  Serve serve_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::array<Bell, 2> bells_{};
  std::uint64_t flush_ = 0;  // the one that is gathering
  std::vector<Caller*> waiting_;
  bool led_ = false;
  bool gathering_ = false;
  Crowd crowd_;
};

}  // namespace tillsync
