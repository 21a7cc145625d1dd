// A cloud and some tills as separate processes of this machine, in a folder of their own, on loopback only.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "tools/cli/cli.hpp"

namespace tillsync::demo {

// One process on one data folder. It dies with this process.
class Process {
 public:
  Process(std::string name, std::string folder, std::vector<std::string> command);
  ~Process();
  Process(Process&& other) noexcept;

  void start();
  void listen_on(int port);  // from the next start on
  void kill();               // SIGKILL: no farewell
  void pause();              // SIGSTOP: to the others it is as if the line were cut
  void resume();
  bool running() const { return pid_ > 0; }
  bool alive();  // false once it has ended by itself
  pid_t pid() const { return pid_; }

  ControlClient connect() const;  // waits until it answers; Failure after 15 s
  const std::string& name() const { return name_; }
  const std::string& folder() const { return folder_; }

 private:
  std::string name_, folder_;
  std::vector<std::string> command_;
  pid_t pid_ = -1;
};

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

std::string this_program();  // the path of the running binary

}  // namespace tillsync::demo
