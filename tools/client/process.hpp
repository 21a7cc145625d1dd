// A till or a cloud as a process of its own, on this machine.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "tools/client/failure.hpp"
#include "transport/api/socket.hpp"

namespace tillsync::client {

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

  // What it answers; Failure when it does not, or refuses.
  template <class R>
  api::AnswerTo<R> ask(const R& request) const {
    return require(connect().ask(request));
  }
  ControlClient connect() const;  // waits until it answers; Failure after 15 s
  const std::string& name() const { return name_; }
  const std::string& folder() const { return folder_; }

 private:
  std::string name_, folder_;
  std::vector<std::string> command_;
  pid_t pid_ = -1;
};

std::string this_program();  // the path of the running binary

}  // namespace tillsync::client
