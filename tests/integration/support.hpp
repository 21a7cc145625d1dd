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

// What a sanitizer keeps of each byte counts as the process's own memory.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr bool kShadowMemory = true;
#else
constexpr bool kShadowMemory = false;
#endif

// `tillsync ARGS...`, at most 60 s; ten times that with a sanitizer.
Outcome run(const std::vector<std::string>& arguments);
Outcome shell(const std::string& command);

std::string program();

}  // namespace tillsync::test
