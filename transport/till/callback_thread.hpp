// Calls a program's callbacks, one after the other, on a thread of their own: a slow one delays no sale, one that
// throws is counted, and any function of the till may be called from one, even the till's end.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace tillsync {

class CallbackThread {
 public:
  static constexpr std::size_t kMaxLines = 1000;  // of the log that wait: beyond, lines are dropped; receipts never are

  CallbackThread() : state_(std::make_shared<State>()) {}
  // What waits is called first. In a callback, it is called after that one has returned.
  ~CallbackThread();
  CallbackThread(const CallbackThread&) = delete;
  CallbackThread& operator=(const CallbackThread&) = delete;

  void call(std::function<void()> callback);               // from any thread
  void call_log(std::function<void()> callback);           // the same, unless too many wait
  std::uint64_t failed() const { return state_->failed; }  // threw an exception

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable due;
    std::deque<std::function<void()>> waiting;
    bool closing = false;
    std::atomic<std::uint64_t> failed = 0;
  };
  static void run(const std::shared_ptr<State>& state);
  void add(std::function<void()> callback, std::size_t limit);

  std::shared_ptr<State> state_;  // the thread's, too: it may be the longer one to live
  std::thread thread_;            // from the first callback on
};

}  // namespace tillsync
