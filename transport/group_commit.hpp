// Callers that wait for a flush share it: the first to come writes for all who are there, the others wait; then one of
// those who came meanwhile goes on. Whoever writes does so in its own thread, so that a single caller is not handed
// from thread to thread. With many, the writer waits a moment for those that it knows to be on their way back (as
// PostgreSQL's commit_delay does, but by what was seen last).
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <tillsync/op.hpp>
#include <tillsync/result.hpp>
#include <vector>

#include "engine/validate.hpp"

namespace tillsync {

class GroupCommit {
 public:
  struct Caller {
    enum State { waits, leads, answered };
    ValidDraft draft;
    std::optional<Result<Receipt>> result{};
    std::atomic<int> state{waits};  // what it sleeps on, so that those who wake do not queue for a lock
  };
  // Makes all of them durable, or hands them on; who is answered later gets finish() from another thread.
  using Serve = std::function<void(const std::vector<Caller*>&)>;

  explicit GroupCommit(Serve serve) : serve_(std::move(serve)) {}

  Result<Receipt> record(ValidDraft draft);                    // blocks
  static void finish(Caller& caller, Result<Receipt> result);  // the caller may be gone when this returns

 private:
  static constexpr std::chrono::microseconds kLongestWait{200};
  void gather(std::unique_lock<std::mutex>& lock);

  Serve serve_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Caller*> waiting_;
  bool led_ = false;
  bool gathering_ = false;
  std::size_t expected_ = 1;  // how many came for the last two flushes
  std::size_t last_ = 1;
};

}  // namespace tillsync
