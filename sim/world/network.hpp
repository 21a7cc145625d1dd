// A virtual network. Connections behave as TCP's do: in order, whole, stalled by a cut, dead after silence. What
// happens to packets (loss, reordering, a narrow line) shows as TCP shows it: as delay for what comes behind.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/actions.hpp"
#include "sim/world/world.hpp"

namespace tillsync::sim {

// A machine as the network sees it: a till or the cloud.
class Endpoint {
 public:
  virtual ~Endpoint() = default;
  virtual const std::string& label() const = 0;  // of the machine; unique in the world
  virtual TillId identity() const = 0;           // who it proves to be; the clone of a till proves to be that till
  virtual BranchId branch() const = 0;           // empty: the cloud
  virtual bool responds() const = 0;             // it runs, and is not suspended
  virtual bool wants(const Endpoint& other) const = 0;    // would dial it
  virtual bool accepts(const Endpoint& other) const = 0;  // would let it in: the channel's handshake
  virtual void on_up(PeerId id, Endpoint& other) = 0;
  virtual void on_down(PeerId id) = 0;
  virtual void on_bytes(PeerId id, Bytes message) = 0;
};

// What a line between two machines is like, each way.
struct Line {
  Duration delay = milliseconds(2);
  Duration jitter = milliseconds(1);
  double loss = 0;                       // of packets; each costs a retransmission
  double reorder = 0;                    // of packets; each holds up what follows for a moment
  std::uint64_t bits_per_second = 0;     // 0: as fast as can be
  std::uint64_t resets_per_million = 0;  // of messages: the connection breaks, what is in flight is lost
  bool operator==(const Line&) const = default;
};

class Network {
 public:
  static constexpr Duration kSilence = seconds(7);  // as Links::kSilence
  static constexpr Duration kRedial = milliseconds(300);

  explicit Network(World& world) : world_(world) {}

  void join(Endpoint& endpoint);
  void shut_down() { links_.clear(), endpoints_.clear(); }  // the world ends
  void leave(Endpoint& endpoint);                           // it crashed: the others hear a reset
  void send(Endpoint& from, PeerId id, Bytes message);
  void hang_up(Endpoint& from, PeerId id);

  // One direction; cut both for a partition.
  void cut(const std::string& from, const std::string& to);
  void mend(const std::string& from, const std::string& to);
  void cut_off(const std::string& label);  // from everybody, both ways
  void mend_all();
  bool is_cut(const std::string& from, const std::string& to) const { return cuts_.contains({from, to}); }

  Line& line() { return line_; }  // every line that has none of its own
  void set_line(const std::string& a, const std::string& b, const Line& line);
  const Line& line_between(const std::string& a, const std::string& b) const;
  void forget_lines() { lines_.clear(); }

  std::uint64_t messages() const { return messages_; }
  std::size_t in_flight() const { return in_flight_; }  // bytes sent and not received

 private:
  struct Link {
    Endpoint* ends[2];
    PeerId ids[2];
    bool up[2] = {true, true};
    Instant last_arrival[2];  // when the last message from this end arrives
    Instant free_at[2];       // when the line has room again
    Instant heard[2];
    std::vector<Bytes> stalled[2];
  };
  void dial_around();
  void link_up(Endpoint& a, Endpoint& b);
  Duration flight_time(const Link& link, int from, std::size_t bytes, Instant& free_at);
  void transmit(const std::shared_ptr<Link>& link, int from, Bytes bytes);
  void watch(const std::shared_ptr<Link>& link);
  void drop(const std::shared_ptr<Link>& link, int end);
  void close(const std::shared_ptr<Link>& link);
  bool cut_between(const Endpoint& from, const Endpoint& to) const { return is_cut(from.label(), to.label()); }
  std::shared_ptr<Link> find(const Endpoint& end, PeerId id, int& which) const;
  bool chance(double probability);

  World& world_;
  std::vector<Endpoint*> endpoints_;
  std::vector<std::shared_ptr<Link>> links_;
  std::set<std::pair<std::string, std::string>> cuts_;
  Line line_;
  std::map<std::pair<std::string, std::string>, Line> lines_;
  std::uint64_t next_id_ = 1;
  std::uint64_t messages_ = 0;
  std::size_t in_flight_ = 0;
  bool dialling_ = false;
};

}  // namespace tillsync::sim
