// What every command shares, whatever it talks to: how a failure is said, and how long work is shown.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <tillsync/result.hpp>
#include <utility>

namespace tillsync::cli {

// A failure ends the command: one sentence on stderr, exit code 1.
struct Failure {
  std::string sentence;
};

template <class T>
T require(Result<T> result) {
  if (!result) throw Failure{result.error().message};
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// On stderr, and only when that is a terminal.
class Progress {
 public:
  explicit Progress(std::string what);
  ~Progress();
  void at(std::uint64_t done, std::uint64_t total);
  void say(const std::string& what);

 private:
  void draw();
  std::string what_;
  std::uint64_t done_ = 0, total_ = 0;
  int percent_ = -1;
  bool terminal_;
};

// Parses and carries out; the exit code.
int run_command(CLI::App& app, int argc, char** argv);

void add_sim(CLI::App& app);

}  // namespace tillsync::cli
