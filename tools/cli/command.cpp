#include "tools/cli/command.hpp"

#include <unistd.h>

#include <iostream>

namespace tillsync::cli {

Progress::Progress(std::string what) : what_(std::move(what)), terminal_(::isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
  if (terminal_) std::cerr << "\r\033[K" << std::flush;
}

void Progress::at(std::uint64_t done, std::uint64_t total) {
  done_ = done, total_ = total;
  const int percent = total == 0 ? 100 : static_cast<int>(100 * done / total);
  if (percent == percent_) return;
  percent_ = percent;
  draw();
}

void Progress::say(const std::string& what) {
  what_ = what;
  draw();
}

void Progress::draw() {
  if (!terminal_) return;
  constexpr int kWidth = 30;
  const int filled = percent_ * kWidth / 100;
  std::cerr << "\r\033[K[";
  for (int i = 0; i < kWidth; ++i) std::cerr << (i < filled ? '#' : '.');
  std::cerr << "] " << done_ << "/" << total_ << "  " << what_ << std::flush;
}

int run_command(CLI::App& app, int argc, char** argv) {
  app.require_subcommand(1);
  app.failure_message([](const CLI::App* a, const CLI::Error& e) {
    return std::string("tillsync: ") + e.what() + "; try '" + a->get_name() + " --help'\n";
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const Failure& failure) {
    std::cerr << "tillsync: " << failure.sentence << '\n';
    return 1;
  } catch (const std::exception& error) {
    std::cerr << "tillsync: something went wrong that should not (" << error.what()
              << "): nothing that was confirmed is lost; please report it\n";
    return 1;
  }
  return 0;
}

}  // namespace tillsync::cli
