#include "tools/client/progress.hpp"

#include <unistd.h>

#include <iostream>

namespace tillsync::client {

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

}  // namespace tillsync::client
