// Shops in a box: the tills of one or more branches and a cloud in one world, and what tests and checkers ask of them.
#pragma once

#include <set>

#include "engine/cloud/ingest/conflict_book.hpp"
#include "sim/world/sim_cloud.hpp"
#include "sim/world/sim_till.hpp"

namespace tillsync::sim {

struct FleetPlan {
  std::uint64_t seed = 1;
  int branches = 1;
  int tills = 1;  // in each
  std::uint32_t lease_ms = 3000;
  bool witness = false;  // the cloud has a vote
  Duration keep{};       // how long vaults and journals keep what the cloud holds; 0: as tills do
};

class Fleet {
 public:
  // Tills till-1 to till-N of the branch main-street, then b2-till-1 ... of branch-2; all started, with the cloud.
  explicit Fleet(const FleetPlan& plan, Observer* observer = nullptr);
  Fleet(std::uint64_t seed, int tills, std::uint32_t lease_ms = 3000) : Fleet(FleetPlan{seed, 1, tills, lease_ms}) {}
  ~Fleet();
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  World& world() { return world_; }
  Network& network() { return network_; }
  SimCloud& cloud() { return *cloud_; }
  SimTill& till(int number) { return *tills_[static_cast<std::size_t>(number - 1)]; }  // clones come last
  SimTill* find(const std::string& label);
  int size() const { return static_cast<int>(tills_.size()); }
  int branches() const { return static_cast<int>(rosters_.size()); }
  const std::vector<std::unique_ptr<SimTill>>& tills() const { return tills_; }
  const Roster& roster(int branch = 0) const { return rosters_[static_cast<std::size_t>(branch)]; }
  BranchKey shop(int branch = 0) const { return {roster(branch).keys.id(), roster(branch).branch}; }
  int branch_of(const SimTill& till) const;

  void sell(int till, const std::string& key, const std::string& sku = "bread", std::int64_t units = 1);
  SimTill& clone(SimTill& original, const std::string& label);  // the same key, a copy of its disk, another machine
  void expel(const SimTill& till);  // by a new roster, signed, given to a till of its branch
  bool is_member(const SimTill& till) const;

  SimTill* host(int branch = 0);  // the one that all responding tills follow; null while they differ
  bool settled();                 // all queues empty, one host a branch, no fork being settled, stock the cloud's
  bool settle(Duration limit) {
    return world_.run_until([this] { return settled(); }, limit);
  }
  // A till's view of the stock is the cloud's; asked only once the cloud has one.
  bool stock_agrees(const SimTill& till);
  std::string stock_differences(const SimTill& till);  // with the events that it counts, for people
  bool has_all_rows(const SimTill& till);
  std::string unsettled();  // what is missing, for people

  std::map<std::string, std::int64_t> cloud_stock(int branch = 0);
  std::vector<Conflict> conflicts(int branch = 0);
  // The keys of what no other disk holds than this till's. Every till must be alive.
  std::set<std::string> only_on(const SimTill& till);
  // And of what its till lost, and the cloud has. Every till must be alive.
  std::set<std::string> only_in_cloud();
  // And of what neither the cloud has nor the disk of a till; who is down may have everything.
  std::set<std::string> nowhere();

 private:
  std::set<std::string> missing(const std::function<bool(SimTill&, const HandedOut&)>& is_there);
  bool in_cloud(const SimTill& owner, const HandedOut& each);
  bool on_a_till(SimTill& owner, const HandedOut& each, const SimTill* but);

  Observer silent_;
  Observer& observer_;
  World world_;
  Network network_{world_};
  SecretKey tenant_;
  std::vector<Roster> rosters_;
  std::string folder_;
  std::unique_ptr<SimCloud> cloud_;
  std::vector<std::unique_ptr<SimTill>> tills_;
};

}  // namespace tillsync::sim
