#include "engine/till/level_waiters.hpp"

#include <algorithm>

namespace tillsync {

void LevelWaiters::settle(Instant now, Actions& out) {
  std::erase_if(waiting_, [&](const Waiter& w) {
    const auto level = acks_.durability(w.key);
    if (level && *level >= w.level) {
      out.level_replies.push_back({w.to, *level});
    } else if (now >= w.deadline) {
      out.level_replies.push_back(
          {w.to, level ? fail(ErrorKind::timed_out, "not there yet: the op is safe here and goes on by itself")
                       : Result<Level>(tl::unexpected(level.error()))});
    } else {
      return false;
    }
    return true;
  });
}

Instant LevelWaiters::next_wake(Instant latest) const {
  for (const Waiter& w : waiting_) latest = std::min(latest, w.deadline);
  return latest;
}

}  // namespace tillsync
