#include "tests/integration/support.hpp"

#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tools/client/folder.hpp"

// What the program would say instead of what the test framework does of a type that it does not know.
REGISTER_EXCEPTION_TRANSLATOR(const tillsync::client::Failure& failure) { return failure.sentence.c_str(); }

namespace tillsync::test {

namespace {

constexpr const char* kLimit = kSanitized ? "600" : "60";  // s

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace

std::string program() { return TILLSYNC_PROGRAM; }

Outcome shell(const std::string& command) {
  const Folder folder;
  const int status = std::system((std::string("{ timeout ") + kLimit + " sh -c " + quoted(command) + "; } >" +
                                  folder / "out" + " 2>" + folder / "err")
                                     .c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128, content(folder / "out"), content(folder / "err")};
}

Outcome run(const std::vector<std::string>& arguments) {
  std::string command = quoted(program());
  for (const std::string& each : arguments) command += " " + quoted(each);
  return shell(command);
}

}  // namespace tillsync::test
