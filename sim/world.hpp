// Virtual time and a virtual network. Whatever happens is an event in one queue, ordered by time and then by when it
// was planned; chance comes from one seed. Connections behave as TCP does: in order, whole, stalled by a cut, dead
// after silence.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <string>
#include <tillsync/time.hpp>
#include <vector>

#include "engine/actions.hpp"
#include "storage/random.hpp"

namespace tillsync::sim {

// A till or the cloud, as the network sees it.
class Endpoint {
 public:
  virtual ~Endpoint() = default;
  virtual const std::string& name() const = 0;
  virtual bool alive() const = 0;
  virtual bool wants(const Endpoint& other) const = 0;  // would dial it
  virtual void on_up(PeerId id, Endpoint& other) = 0;
  virtual void on_down(PeerId id) = 0;
  virtual void on_bytes(PeerId id, Bytes message) = 0;
};

struct NetworkFaults {
  Duration latency = milliseconds(2);
  Duration jitter = milliseconds(1);
  std::uint64_t reset_per_million = 0;  // chance of a connection reset, for each message
};

class World {
 public:
  static constexpr Duration kSilence = seconds(7);  // as Links::kSilence
  static constexpr Duration kRedial = milliseconds(300);

  explicit World(std::uint64_t seed) : random_(seed) {}

  Instant now() const { return now_; }
  Random& random() { return random_; }
  void after(Duration delay, std::function<void()> event);
  void run_for(Duration time);
  // Runs until the condition holds, asked after every event; false when `limit` passed first.
  bool run_until(const std::function<bool()>& condition, Duration limit);

  void join(Endpoint& endpoint);
  void leave(Endpoint& endpoint);  // it crashed: the others hear a reset
  void send(Endpoint& from, PeerId id, const Message& message);
  void hang_up(Endpoint& from, PeerId id);
  // One direction; cut both for a partition.
  void cut(const std::string& from, const std::string& to);
  void mend(const std::string& from, const std::string& to);
  void cut_off(const std::string& name);  // from everybody, both ways
  void mend_all();
  NetworkFaults& faults() { return faults_; }
  std::uint64_t trace_hash() const { return trace_; }  // of every event so far
  std::uint64_t messages() const { return messages_; }

 private:
  struct Link {
    Endpoint* ends[2];
    PeerId ids[2];
    bool up[2] = {true, true};
    Instant last_arrival[2];  // when the last message from this end arrives
    Instant heard[2];
    std::vector<Bytes> stalled[2];
  };
  struct Event {
    Instant at;
    std::uint64_t order;
    std::function<void()> run;
    bool operator<(const Event& other) const { return std::tie(other.at, other.order) < std::tie(at, order); }
  };
  bool step(Instant limit);
  void dial_around();
  void link_up(Endpoint& a, Endpoint& b);
  void transmit(std::shared_ptr<Link> link, int from, Bytes bytes);
  void watch(std::shared_ptr<Link> link);
  void drop(const std::shared_ptr<Link>& link, int end);
  void close(const std::shared_ptr<Link>& link);
  bool is_cut(const Endpoint& from, const Endpoint& to) const { return cuts_.contains({from.name(), to.name()}); }
  std::shared_ptr<Link> find(const Endpoint& end, PeerId id, int& which) const;

  Random random_;
  Instant now_{};
  std::priority_queue<Event> events_;
  std::uint64_t order_ = 0;
  std::vector<Endpoint*> endpoints_;
  std::vector<std::shared_ptr<Link>> links_;
  std::set<std::pair<std::string, std::string>> cuts_;
  NetworkFaults faults_;
  std::uint64_t next_id_ = 1;
  std::uint64_t trace_ = 14695981039346656037ULL;
  std::uint64_t messages_ = 0;
  bool dialling_ = false;
};

}  // namespace tillsync::sim
