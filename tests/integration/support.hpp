// Real processes: runs the program under test and looks at what it says.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace tillsync::test {

struct Outcome {
  int code = -1;
  std::string out, err;
};

// `tillsync ARGS...`, at most 60 s.
Outcome run(const std::vector<std::string>& arguments);
Outcome shell(const std::string& command);

std::string program();

// A folder that goes with the test.
struct Folder {
  Folder();
  ~Folder();
  std::string path;
  std::string operator/(const std::string& name) const { return path + "/" + name; }
};

}  // namespace tillsync::test
