// Virtual time: whatever happens is an event in one queue, ordered by time and then by when it was planned; chance
// comes from one seed. The same seed gives the same events, on every machine and in every build.
#pragma once

#include <functional>
#include <queue>
#include <string>
#include <tillsync/time.hpp>
#include <tuple>
#include <vector>

#include "storage/base/random.hpp"

namespace tillsync::sim {

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {}

  Instant now() const { return now_; }
  Random& random() { return random_; }
  void after(Duration delay, std::function<void()> event);
  void run_for(Duration time);
  // Runs until the condition holds, asked after every event; false when `limit` passed first.
  bool run_until(const std::function<bool()>& condition, Duration limit);

  // One line of the trace. The text is made only when somebody listens.
  void trace(const std::function<std::string()>& line) {
    if (tracer_) tracer_(now_, line());
  }
  using Tracer = std::function<void(Instant, const std::string&)>;
  void listen(Tracer tracer) { tracer_ = std::move(tracer); }

  void mix(std::uint64_t fact) { hash_ = (hash_ ^ fact) * 1099511628211ULL; }
  std::uint64_t trace_hash() const { return hash_; }  // of every event and every message so far

 private:
  struct Event {
    Instant at;
    std::uint64_t order;
    std::function<void()> run;
    bool operator<(const Event& other) const { return std::tie(other.at, other.order) < std::tie(at, order); }
  };
  bool step(Instant limit);

  Random random_;
  Instant now_{};
  std::priority_queue<Event> events_;
  std::uint64_t order_ = 0;
  std::uint64_t hash_ = 14695981039346656037ULL;
  Tracer tracer_;
};

}  // namespace tillsync::sim
