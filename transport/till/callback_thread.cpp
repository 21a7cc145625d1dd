#include "transport/till/callback_thread.hpp"

#include <limits>

namespace tillsync {

void CallbackThread::call(std::function<void()> callback) {
  add(std::move(callback), std::numeric_limits<std::size_t>::max());
}

void CallbackThread::call_log(std::function<void()> callback) { add(std::move(callback), kMaxLines); }

void CallbackThread::add(std::function<void()> callback, std::size_t limit) {
  const std::lock_guard lock(state_->mutex);
  if (state_->waiting.size() >= limit) return;
  state_->waiting.push_back(std::move(callback));
  if (!thread_.joinable()) thread_ = std::thread([state = state_] { run(state); });
  state_->due.notify_one();
}

void CallbackThread::run(const std::shared_ptr<State>& state) {
  std::unique_lock lock(state->mutex);
  for (;;) {
    state->due.wait(lock, [&] { return state->closing || !state->waiting.empty(); });
    if (state->waiting.empty()) return;
    auto callback = std::move(state->waiting.front());
    state->waiting.pop_front();
    lock.unlock();
    try {
      callback();
    } catch (...) {  // the program's own
      ++state->failed;
    }
    callback = {};
    lock.lock();
  }
}

CallbackThread::~CallbackThread() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->closing = true;
    state_->due.notify_one();
  }
  if (!thread_.joinable()) return;
  thread_.get_id() == std::this_thread::get_id() ? thread_.detach() : thread_.join();
}

}  // namespace tillsync
