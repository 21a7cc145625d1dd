// A branch of real processes on loopback, made as a bench needs it: who may host, and who knows the way to the cloud.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tools/demo/fleet.hpp"

namespace tillsync::bench {

class BenchShop {
 public:
  struct Member {
    std::string name;
    bool may_host = true;
    bool knows_cloud = true;
  };
  // Makes keys, roster and folders, and starts the cloud (LMDB); the tills are started by whoever wants them.
  BenchShop(const std::string& folder, const std::string& program, const std::vector<Member>& members);

  std::string folder_of(const std::string& name) const { return folder_ + "/" + name; }
  client::Process& start(const std::string& name);
  void restart_cloud();  // where it was, after a kill
  client::Process& cloud() { return processes_.at("cloud"); }
  const std::string& tenant() const { return tenant_; }
  // Until the till's status is as wanted; fails after `limit_s`.
  static api::StatusAnswer wait_for(ControlClient& till, double limit_s,
                                    const std::function<bool(const api::StatusAnswer&)>& wanted);

 private:
  std::string folder_, program_, tenant_;
  std::map<std::string, client::Process> processes_;
};

}  // namespace tillsync::bench
