// Callers who wait until an op is held at some level: on two disks, by the host, by the cloud.
#pragma once

#include <string>
#include <vector>

#include "engine/till/history_acks.hpp"

namespace tillsync {

class LevelWaiters {
 public:
  explicit LevelWaiters(const HistoryAcks& acks) : acks_(acks) {}

  void add(ReplyTo to, const std::string& key, Level level, Instant deadline) {
    waiting_.push_back({to, key, level, deadline});
  }
  // Answers those whose op has got there, or whose time is over.
  void settle(Instant now, Actions& out);
  Instant next_wake(Instant latest) const;

 private:
  struct Waiter {
    ReplyTo to;
    std::string key;
    Level level;
    Instant deadline;
  };
  const HistoryAcks& acks_;
  std::vector<Waiter> waiting_;
};

}  // namespace tillsync
