// The protocol of the lease as scripts: commands, and the exact trace that they produce. After a wanted change rewrite
// all of them with `unit_tests --rewrite`, and read the difference.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/unit/lease_shop.hpp"
#include "tests/unit/rewrite.hpp"

using namespace tillsync;

namespace {

// Blocks: lines that start with # are for the reader, then commands, then ---- and what came of them, then an empty
// line.
std::string played(const std::string& script) {
  LeaseShop shop;
  std::istringstream in(script);
  std::string out, happened;
  bool in_trace = false;
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) {
      in_trace = false;
      out += "\n";
    } else if (line == "----") {
      in_trace = true;
      out += line + "\n" + std::exchange(happened, "");
    } else if (!in_trace) {
      out += line + "\n";
      if (!line.starts_with("#")) happened += shop.carry_out(line);
    }
  }
  return out;
}

std::string content(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("every rule of the lease does what its script says") {
  std::size_t scripts = 0;
  for (const auto& entry : std::filesystem::directory_iterator(TILLSYNC_SOURCE "/tests/lease")) {
    if (entry.path().extension() != ".txt") continue;
    ++scripts;
    CAPTURE(entry.path().filename().string());
    const std::string script = content(entry.path());
    const std::string now = played(script);
    if (rewrite_scripts() && now != script) std::ofstream(entry.path()) << now;
    if (!rewrite_scripts()) CHECK(now == script);
  }
  CHECK(scripts >= 25);
}
