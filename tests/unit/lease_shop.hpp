// A shop of bare elections for the interaction scripts in tests/lease: messages take 5 ms, a promise takes 3 ms to
// become durable, and every word and every change is a line of the trace. No till of it sells anything.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "lease/election.hpp"

namespace tillsync {

class LeaseShop {
 public:
  // Carries one command out and returns what happened, a line each. tests/lease/README.md lists the commands.
  std::string carry_out(const std::string& command);

 private:
  struct Till {
    TillId name;
    SecretKey key;
    Roster roster;
    std::unique_ptr<Election> election;  // null: not running
    std::optional<Promise> disk;
    Duration to_store = std::chrono::milliseconds(3);  // a promise
    std::uint64_t life = 0;
    bool suspended = false;
    std::vector<std::function<void()>> backlog;
  };
  struct Sent {
    std::string from, to;
    LeaseMessage message;
  };

  void open(const std::vector<std::string>& words);
  void connect(const std::set<std::string>& some, const std::set<std::string>& others, bool up);
  void start(Till& till);
  void act(Till& till, LeaseActions actions);
  void send(Till& till, const std::vector<LeaseActions::Send>& sends);
  void deliver(const std::string& from, const std::string& to, const LeaseMessage& message);
  void run(Duration time, bool everything);
  void attack(const std::vector<std::string>& words);
  void lie(Till& liar, const std::string& to);
  void campaign(Till& till, int times);
  void roster(const std::vector<std::string>& words);
  void view();
  void later(Duration delay, Till& till, std::function<void()> what);
  void say(const std::string& line, bool detail = false);
  Till& till(const std::string& name);
  std::set<std::string> names(const std::string& text) const;

  std::map<std::string, Till> tills_;
  std::optional<SecretKey> tenant_;
  Roster roster_;
  std::set<std::pair<std::string, std::string>> cut_;  // from, to
  std::vector<Sent> heard_;                            // whatever was sent, for those who replay it
  std::multimap<Duration, std::function<void()>> events_;
  Duration now_{};
  bool everything_ = true;
  std::string out_;
};

}  // namespace tillsync
