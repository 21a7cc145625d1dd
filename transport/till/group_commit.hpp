// Callers that wait for a flush share it: the last to come writes for all who are there, in its own thread, so that
// nobody has to be woken for it, and a single caller is not handed from thread to thread. Who is the last is known by
// how many came before; the first waits a moment for them (as for PostgreSQL's commit_delay), then writes for those who
// did come.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
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
class BatchPredictor {
 public:
  static constexpr std::chrono::microseconds kLongestWait{200};
  std::size_t expected() const { return std::max(last_, before_); }
  void came(std::size_t count) { before_ = std::exchange(last_, count); }

 private:
  std::size_t last_ = 1, before_ = 1;
};

class GroupCommit {
  // What callers sleep on, those of every other flush on the same: one system call wakes all who shared one, nobody
  // else, and they do not queue for a lock. (std::atomic::wait yields the processor a few times first: with many
  // callers, most of the work.)
  struct WakeWord {
    std::atomic<std::uint32_t> rung{0};
    std::atomic<std::uint32_t> sleepers{0};
    void ring(int callers);
    void sleep(std::uint32_t heard, std::optional<std::chrono::microseconds> at_most);
  };

 public:
  struct Caller {
    ValidDraft draft;
    WakeWord& wake;
    std::optional<Result<Receipt>> result{};
    std::atomic<bool> answered{false};
  };
  // Makes all of them durable and answers them, or sees to it that somebody does.
  using Serve = std::function<void(const std::vector<Caller*>&)>;
  using Answers = std::vector<std::pair<Caller*, Result<Receipt>>>;

  explicit GroupCommit(Serve serve) : serve_(std::move(serve)) {}

  Result<Receipt> record(ValidDraft draft);  // blocks
  static void answer(Answers answers);       // from any thread; the callers may be gone when this returns

 private:
  void lead(std::unique_lock<std::mutex>& lock);

  Serve serve_;
  std::mutex mutex_;
  std::array<WakeWord, 2> wakes_{};
  std::uint64_t flush_ = 0;  // the one that is gathering
  std::vector<Caller*> waiting_;
  bool led_ = false;      // a flush is under way
  bool watched_ = false;  // one of those who wait leads when the others do not come
  BatchPredictor predictor_;
};

}  // namespace tillsync
