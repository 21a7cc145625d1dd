#include "tools/client/process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>
#include <utility>

#include "storage/disk/data_folder.hpp"

namespace tillsync::client {

namespace {

constexpr auto kPatience = std::chrono::seconds(15);

void nap() { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }

[[noreturn]] void become(const std::vector<std::string>& command, const std::string& log) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  std::vector<char*> argv;
  for (const std::string& each : command) argv.push_back(const_cast<char*>(each.c_str()));
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

}  // namespace

std::string this_program() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

Process::Process(std::string name, std::string folder, std::vector<std::string> command)
    : name_(std::move(name)), folder_(std::move(folder)), command_(std::move(command)) {}

Process::Process(Process&& other) noexcept
    : name_(std::move(other.name_)),
      folder_(std::move(other.folder_)),
      command_(std::move(other.command_)),
      pid_(std::exchange(other.pid_, -1)) {}

Process::~Process() {
  if (pid_ > 0) kill();
}

void Process::start() {
  const std::string log = folder_ + ".log";
  pid_ = ::fork();
  if (pid_ == 0) become(command_, log);
  if (pid_ < 0) throw Failure{"can't start another process: close some programs, then try again"};
}

void Process::listen_on(int port) { command_.back() = "127.0.0.1:" + std::to_string(port); }

void Process::kill() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void Process::pause() { ::kill(pid_, SIGSTOP); }
void Process::resume() { ::kill(pid_, SIGCONT); }

bool Process::alive() {
  if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
  return pid_ > 0;
}

namespace {
std::string end_of(const std::string& path) {
  const std::string text = read_file(path).value_or(std::string());
  return text.substr(text.size() - std::min<std::size_t>(text.size(), 600));
}
}  // namespace

ControlClient Process::connect() const {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    if (auto client = ControlClient::connect(folder_)) return std::move(*client);
    if (std::chrono::steady_clock::now() >= until)
      throw Failure{name_ + " did not start: look at " + folder_ + ".log; it ends: " + end_of(folder_ + ".log")};
    nap();
  }
}

}  // namespace tillsync::client
