#include "storage/damage_check.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

namespace tillsync {

namespace {

[[noreturn]] void run_child(int out, const std::function<Result<void>()>& check) {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  for (int sig : {SIGSEGV, SIGBUS, SIGABRT}) std::signal(sig, SIG_DFL);
  const auto checked = check();
  std::string said;
  if (!checked) said = std::string(1, static_cast<char>(checked.error().kind)) + checked.error().message;
  const bool told = ::write(out, said.data(), said.size()) == static_cast<ssize_t>(said.size());
  ::_exit(checked && told ? 0 : 1);
}

}  // namespace

Result<void> check_in_child(const std::function<Result<void>()>& check) {
  int ends[2];
  if (::pipe(ends) != 0)
    return fail(ErrorKind::io, "no file descriptors are left: close other programs, then try again");
  const pid_t child = ::fork();
  if (child == 0) run_child(ends[1], check);
  ::close(ends[1]);
  std::string said;
  std::array<char, 512> buffer;
  for (ssize_t n = 0; (n = ::read(ends[0], buffer.data(), buffer.size())) > 0;)
    said.append(buffer.data(), static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child)
    return fail(ErrorKind::io, "can't start a process to check the database");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  if (!said.empty()) return fail(static_cast<ErrorKind>(said[0]), said.substr(1));
  return fail(ErrorKind::damaged, "the database is damaged: run 'tillsync recover --data FOLDER', which loses no sale",
              "the checking process ended with status " + std::to_string(status));
}

}  // namespace tillsync
