#include "sim/world/world.hpp"

#include <algorithm>

namespace tillsync::sim {

void World::after(Duration delay, std::function<void()> event) {
  events_.push({now_ + std::max(delay, Duration::zero()), order_++, std::move(event)});
}

bool World::step(Instant limit) {
  if (events_.empty() || events_.top().at > limit) return false;
  // The queue's order does not look at what is moved out.
  std::function<void()> run = std::move(const_cast<Event&>(events_.top()).run);
  now_ = events_.top().at;
  mix(static_cast<std::uint64_t>(now_.since_boot.count()) ^ events_.top().order);
  events_.pop();
  run();
  return true;
}

void World::run_for(Duration time) {
  const Instant end = now_ + time;
  while (step(end)) {
  }
  now_ = end;
}

bool World::run_until(const std::function<bool()>& condition, Duration limit) {
  const Instant end = now_ + limit;
  while (!condition()) {
    if (!step(end)) return now_ = end, condition();
  }
  return true;
}

}  // namespace tillsync::sim
