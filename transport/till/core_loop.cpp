#include "transport/till/core_loop.hpp"

#include <algorithm>

#include "transport/base/clock.hpp"

namespace tillsync {

namespace {
constexpr auto kFarewell = milliseconds(50), kLastWork = milliseconds(500);
}

CoreLoop::CoreLoop(std::unique_ptr<TillCore> core, TillDisks& disks, Log log)
    : disks_(disks), log_(std::move(log)), core_(std::move(core)) {}

void CoreLoop::add(ActionHandler& part) { parts_.push_back(&part); }

void CoreLoop::start(std::function<void()> begin) {
  thread_ = std::thread([this, begin = std::move(begin)] { run(begin); });
}

void CoreLoop::run(const std::function<void()>& begin) {
  auto more = expecting();
  {
    const Held held(lock_);
    carry_out(core_->on_start(read_clock()));
    begin();
  }
  while (!stopping_ && io_.run_one() > 0) {
  }
  more.reset();
  io_.run_for(kLastWork);  // what was closed ends, and what the disks still have is answered
}

void CoreLoop::carry_out(Actions actions) {
  owed_.push_back(std::move(actions));
  drain();
}

// The core's thread is not woken for nothing: it would only get in the way of the next sale.
void CoreLoop::enqueue(Actions actions) {
  if (actions.none() && core_->next_wake(read_clock()) >= armed_for_) return;
  owed_.push_back(std::move(actions));
  post([this] { drain(); });
}

void CoreLoop::drain() {
  while (!owed_.empty()) {
    Actions next = std::move(owed_.front());
    owed_.pop_front();
    perform(std::move(next));
  }
  arm();
}

void CoreLoop::perform(Actions actions) {
  if (actions.commit) commit(std::move(actions.commit));
  for (ActionHandler* part : parts_) part->act(actions);
  for (const Notice& notice : actions.notices) log_(notice);
}

void CoreLoop::commit(std::shared_ptr<const StoreBatch> batch) {
  asio::post(disks_.database_lane(), [this, batch = std::move(batch), expected = expecting()] {
    auto outcome = disks_.commit(*batch);
    post([this, outcome = std::move(outcome)]() mutable {
      carry_out(core_->on_committed(read_clock(), std::move(outcome)));
    });
  });
}

void CoreLoop::arm() {
  if (stopping_) return;
  const Now now = read_clock();
  for (ActionHandler* part : parts_) part->on_settled(now);
  armed_for_ = core_->next_wake(now);
  wake_.expires_after(std::max<Duration>(armed_for_ - now.mono, Duration::zero()));
  wake_.async_wait([this](asio::error_code error) {
    if (error || stopping_) return;
    const Held held(lock_);
    const Now woken = read_clock();
    carry_out(core_->on_wake(woken));
    for (ActionHandler* part : parts_) part->on_woken(woken);
  });
}

void CoreLoop::end() {
  if (!thread_.joinable()) return;
  post([this] {
    carry_out(core_->on_step_down(read_clock(), std::nullopt));
    if (std::ranges::none_of(parts_, &ActionHandler::has_farewells)) return close();
    auto farewell = std::make_shared<asio::steady_timer>(io_, kFarewell);
    farewell->async_wait([this, farewell](asio::error_code) { close(); });
  });
  thread_.join();
}

void CoreLoop::close() {
  const Held held(lock_);
  for (ActionHandler* part : parts_) part->on_closing();
  wake_.cancel();
  stopping_ = true;
}

}  // namespace tillsync
