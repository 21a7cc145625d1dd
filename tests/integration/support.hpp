// Real processes: runs the program under test and looks at what it says.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/scratch.hpp"

namespace tillsync::test {

struct Outcome {
  int code = -1;
  std::string out, err;
};

// Such a program is up to ten times slower, and what a sanitizer keeps of each byte counts as the program's memory.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

// `tillsync ARGS...`, at most 60 s; ten times that with a sanitizer.
Outcome run(const std::vector<std::string>& arguments);
Outcome shell(const std::string& command);

std::string program();

}  // namespace tillsync::test
