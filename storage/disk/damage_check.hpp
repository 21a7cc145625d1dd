// Looks at files that might make the program crash (LMDB trusts its pages) in a child process, so that only the child
// can.
//
//   auto check = DamageCheck::start([&] { return verify(path); });
//   if (auto outcome = check->within(milliseconds(200))) ...  // nothing: it is still at it
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <tillsync/result.hpp>

namespace tillsync {

class DamageCheck {
 public:
  // `check` runs in the child, with less priority, and finds no file open but the standard ones. Before the process has
  // threads. The child ends with its parent, however that one ends.
  static Result<std::unique_ptr<DamageCheck>> start(const std::function<Result<void>()>& check);
  ~DamageCheck();  // ends the child
  DamageCheck(const DamageCheck&) = delete;
  DamageCheck& operator=(const DamageCheck&) = delete;

  // What the check found; nothing while it is at it. Errors: as the check says; damaged when the child crashed.
  std::optional<Result<void>> within(std::chrono::milliseconds patience);
  Result<void> wait();

 private:
  DamageCheck(pid_t child, int process, int verdict) : child_(child), process_(process), verdict_(verdict) {}
  Result<void> end();

  pid_t child_;
  int process_;  // its descriptor; -1 on a kernel without
  int verdict_;  // the end of a pipe: what the child found. Its exit status proves nothing: others may wait for it
};

// The same for one who waits.
inline Result<void> check_in_child(const std::function<Result<void>()>& check) {
  auto running = DamageCheck::start(check);
  return running ? (*running)->wait() : tl::unexpected(running.error());
}

}  // namespace tillsync
