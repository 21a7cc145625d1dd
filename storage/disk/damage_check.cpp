#include "storage/disk/damage_check.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace tillsync {

namespace {

constexpr int kLessPriority = 10;
constexpr char kSound = '+', kFault = '-';  // what the child's verdict begins with; without one it crashed

int open_process(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

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
  const std::string verdict =
      checked ? std::string(1, kSound)
              : std::string(1, kFault) + static_cast<char>(checked.error().kind) + checked.error().message;
  ::_exit(::write(out, verdict.data(), verdict.size()) == static_cast<ssize_t>(verdict.size()) ? 0 : 1);
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
  return std::unique_ptr<DamageCheck>(new DamageCheck(child, open_process(child), ends[0]));
}

DamageCheck::~DamageCheck() {
  // By its descriptor: the program around us may wait for every child, and the number may be another's by now.
  if (process_ >= 0) {
    (void)::syscall(SYS_pidfd_send_signal, process_, SIGKILL, nullptr, 0);
    ::close(process_);
  }
  if (child_ > 0) (void)::waitpid(child_, nullptr, 0);
  ::close(verdict_);
}

// The child writes its verdict at its end, and little enough for the pipe.
std::optional<Result<void>> DamageCheck::within(std::chrono::milliseconds patience) {
  pollfd waits{verdict_, POLLIN, 0};
  if (::poll(&waits, 1, static_cast<int>(patience.count())) <= 0) return std::nullopt;
  return end();
}

Result<void> DamageCheck::wait() { return end(); }

Result<void> DamageCheck::end() {
  std::string verdict;
  std::array<char, 512> buffer;
  for (ssize_t n = 0; (n = ::read(verdict_, buffer.data(), buffer.size())) > 0 || (n < 0 && errno == EINTR);)
    if (n > 0) verdict.append(buffer.data(), static_cast<std::size_t>(n));
  int status = 0;
  (void)::waitpid(child_, &status, 0);  // the program around us may have done so, or ignore its children
  child_ = -1;
  if (verdict.starts_with(kSound)) return {};
  if (verdict.size() > 1) return fail(static_cast<ErrorKind>(verdict[1]), verdict.substr(2));
  return fail(ErrorKind::damaged, "the database is damaged: run 'tillsync recover --data FOLDER', which loses no sale",
              "the checking process ended with status " + std::to_string(status));
}

}  // namespace tillsync
