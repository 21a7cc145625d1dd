// A branch in a box: some tills and a cloud in one world, and the questions that every test and checker asks of them.
#pragma once

#include <set>

#include "sim/sim_nodes.hpp"

namespace tillsync::sim {

class Branch {
 public:
  // till-1 to till-N, started, with the cloud.
  Branch(std::uint64_t seed, int tills, std::uint32_t lease_ms = 3000);
  ~Branch();
  Branch(const Branch&) = delete;
  Branch& operator=(const Branch&) = delete;

  World& world() { return world_; }
  SimCloud& cloud() { return *cloud_; }
  SimTill& till(int number) { return *tills_[static_cast<std::size_t>(number - 1)]; }
  int size() const { return static_cast<int>(tills_.size()); }
  const SecretKey& tenant() const { return tenant_; }
  const Roster& roster() const { return roster_; }

  void sell(int till, const std::string& key, const std::string& sku = "bread", std::int64_t units = 1);
  SimTill* host();  // the one that all living tills follow; null while they differ
  bool settled();   // all queues empty, one host, no fork being settled
  bool settle(Duration limit) {
    return world_.run_until([this] { return settled(); }, limit);
  }

  // Rule 1 to 3 of docs/simulator.md; empty when all hold. Ask only when settled.
  // `destroyed`: keys of ops that were on one disk only when a backup was put in its place; nobody can bring those
  // back.
  std::vector<std::string> broken_rules(const std::set<std::string>& destroyed = {});
  // The keys of what no other disk holds than this till's. Every till must be alive.
  std::set<std::string> only_on(SimTill& till);
  std::map<std::string, std::int64_t> cloud_stock();
  std::vector<CloudConflict> conflicts();

 private:
  World world_;
  SecretKey tenant_;
  Roster roster_;
  std::string folder_;
  std::unique_ptr<SimCloud> cloud_;
  std::vector<std::unique_ptr<SimTill>> tills_;
};

}  // namespace tillsync::sim
