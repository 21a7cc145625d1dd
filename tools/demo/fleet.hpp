// A cloud and some tills as separate processes of this machine, in a folder of their own, on loopback only.
#pragma once

#include <string>
#include <vector>

#include "tools/client/process.hpp"

namespace tillsync::demo {

using client::Process;

class Fleet {
 public:
  // Makes keys, roster and folders, starts everything and waits until a host is elected and connected to the cloud.
  // `store`: where the cloud keeps its record, as for tillsync cloud.
  Fleet(int tills, const std::string& where, const std::string& program, const std::string& store = {});
  ~Fleet();

  Process& cloud() { return members_.front(); }
  std::size_t tills() const { return members_.size() - 1; }
  Process& till(std::size_t i) { return members_[i + 1]; }
  const std::string& folder() const { return folder_; }

  // The till that most of those that answer follow; nothing while they differ. `except` is not asked.
  std::optional<std::size_t> host(std::optional<std::size_t> except = {});

 private:
  std::string folder_;
  std::vector<Process> members_;
};

}  // namespace tillsync::demo
