// How far long work has got, on stderr, and only when that is a terminal.
#pragma once

#include <cstdint>
#include <string>

namespace tillsync::client {

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

}  // namespace tillsync::client
