#include "storage/disk/damage_check.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

namespace tillsync {

namespace {

constexpr int kLessPriority = 10;

// Nothing of the parent's stays open here but the pipe: should it die, its folder's lock is free at once. And this
// process goes with it: when the last who could read a pipe is gone, who asked for that gets SIGIO, which ends it.
void hold_only(int pipe) {
  if (pipe > 3) ::close_range(3, static_cast<unsigned>(pipe) - 1, 0);
  ::close_range(static_cast<unsigned>(pipe) + 1, ~0U, 0);
  sigset_t io;
  ::sigemptyset(&io);
  ::sigaddset(&io, SIGIO);
  ::sigprocmask(SIG_UNBLOCK, &io, nullptr);
  ::fcntl(pipe, F_SETOWN, ::getpid());
  ::fcntl(pipe, F_SETFL, O_ASYNC);
  pollfd reader{pipe, 0, 0};
  if (::poll(&reader, 1, 0) > 0) ::_exit(1);  // gone before that
}

[[noreturn]] void run_child(int out, const std::function<Result<void>()>& check) {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  (void)::setpriority(PRIO_PROCESS, 0, kLessPriority);
  for (int sig : {SIGSEGV, SIGBUS, SIGABRT, SIGIO}) std::signal(sig, SIG_DFL);
  hold_only(out);
  const auto checked = check();
  std::string said;
  if (!checked) said = std::string(1, static_cast<char>(checked.error().kind)) + checked.error().message;
  const bool told = ::write(out, said.data(), said.size()) == static_cast<ssize_t>(said.size());
  ::_exit(checked && told ? 0 : 1);
}

}  // namespace

Result<std::unique_ptr<DamageCheck>> DamageCheck::start(const std::function<Result<void>()>& check) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return fail(ErrorKind::io, "no file descriptors are left: close other programs, then try again");
  const pid_t child = ::fork();
  if (child == 0) run_child(ends[1], check);
  ::close(ends[1]);
  if (child < 0) {
    ::close(ends[0]);
    return fail(ErrorKind::io, "can't start a process to check the database");
  }
  return std::unique_ptr<DamageCheck>(new DamageCheck(child, ends[0]));
}

DamageCheck::~DamageCheck() {
  if (child_ > 0) {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  ::close(said_);
}

// The child says all it has to say at its end, and little enough for the pipe.
std::optional<Result<void>> DamageCheck::within(std::chrono::milliseconds patience) {
  pollfd waits{said_, POLLIN, 0};
  if (::poll(&waits, 1, static_cast<int>(patience.count())) <= 0) return std::nullopt;
  return end();
}

Result<void> DamageCheck::wait() { return end(); }

Result<void> DamageCheck::end() {
  std::string said;
  std::array<char, 512> buffer;
  for (ssize_t n = 0; (n = ::read(said_, buffer.data(), buffer.size())) > 0;)
    said.append(buffer.data(), static_cast<std::size_t>(n));
  int status = 0;
  const pid_t ended = ::waitpid(child_, &status, 0);
  child_ = -1;
  if (ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  if (!said.empty()) return fail(static_cast<ErrorKind>(said[0]), said.substr(1));
  return fail(ErrorKind::damaged, "the database is damaged: run 'tillsync recover --data FOLDER', which loses no sale",
              "the checking process ended with status " + std::to_string(status));
}

}  // namespace tillsync
