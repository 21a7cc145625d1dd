// The mechanical part of the house style, kept by a test.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <vector>

namespace fs = std::filesystem;

namespace {

struct SourceFile {
  std::string path;  // from the project's root
  std::vector<std::string> lines;
};

std::vector<SourceFile> sources() {
  std::vector<SourceFile> out;
  const fs::path root = TILLSYNC_SOURCE;
  for (const char* room : {"storage", "lease", "conflicts", "engine", "transport", "sim", "tools", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / room)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".cpp" && extension != ".hpp" && extension != ".h") continue;
      SourceFile source{fs::relative(entry.path(), root).string(), {}};
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) source.lines.push_back(line);
      out.push_back(std::move(source));
    }
  }
  REQUIRE(out.size() > 50);
  return out;
}

// The terminal, the HTTP server, and the files that programs and the simulator share are rooms of their own.
std::string room_of(const std::string& path) {
  for (const std::string inner : {"conflicts/tui", "transport/http", "transport/files"}) {
    if (path.starts_with(inner + "/")) return inner;
  }
  return path.substr(0, path.find('/'));
}

// The terminal is none; what the simulator shares with the programs must be as free of the machine as a core.
bool is_core(const std::string& room) {
  return room == "engine" || room == "lease" || room == "conflicts" || room == "transport/files";
}

}  // namespace

TEST_CASE("no arrow between the rooms points back") {
  const std::map<std::string, std::set<std::string>> may_use = {
      {"storage", {}},
      {"lease", {"storage"}},
      {"conflicts", {"storage"}},
      {"conflicts/tui", {"storage", "conflicts"}},
      {"engine", {"storage", "lease", "conflicts"}},
      {"transport/files", {"storage", "lease", "conflicts", "engine"}},
      {"transport", {"storage", "lease", "conflicts", "engine", "transport/files"}},
      {"transport/http", {"storage", "lease", "conflicts", "engine", "transport", "transport/files"}},
      {"sim", {"storage", "lease", "conflicts", "engine", "transport/files"}},
      {"tools",
       {"storage", "lease", "conflicts", "conflicts/tui", "engine", "transport", "transport/files", "transport/http",
        "sim"}},
      {"tests",
       {"storage", "lease", "conflicts", "conflicts/tui", "engine", "transport", "transport/files", "transport/http",
        "sim", "tools"}}};
  const std::regex include("#include \"([a-z]+/((tui|http|files)/)?)");
  for (const SourceFile& source : sources()) {
    const std::string room = room_of(source.path);
    for (const std::string& line : source.lines) {
      std::smatch match;
      const std::string used = std::regex_search(line, match, include) ? room_of(match[1].str()) : "tillsync";
      if (used == room || used == "tillsync") continue;
      if (!may_use.at(room).contains(used)) FAIL_CHECK(source.path << " may not include " << line);
    }
  }
}

TEST_CASE("a till's engine and the cloud's know nothing of each other, and no part of a till knows the till") {
  for (const SourceFile& source : sources()) {
    for (const std::string& line : source.lines) {
      const auto includes = [&](const std::string& what) { return line.find("#include \"" + what) == 0; };
      const bool of_till = source.path.starts_with("engine/till/"), of_cloud = source.path.starts_with("engine/cloud/");
      const bool is_core = source.path.starts_with("engine/till/till_core");
      if ((of_till && includes("engine/cloud/")) || (of_cloud && includes("engine/till/")) ||
          (of_till && !is_core && includes("engine/till/till_core.hpp")))
        FAIL_CHECK(source.path << " may not include " << line);
    }
  }
}

TEST_CASE("each library stays in its room, and the cores touch no clock, socket, thread or chance") {
  const std::vector<std::pair<std::string, std::string>> homes = {
      {"<asio", "transport"},         {"<avahi", "transport/net/discovery"},
      {"<lmdb.h>", "storage"},        {"<libpq", "storage/postgres"},
      {"<msgpack", "storage"},        {"<ncurses", "conflicts/tui"},
      {"<httplib", "transport/http"}, {"<prometheus", "transport/http"}};
  const std::vector<std::string> banned_in_cores = {
      "<thread>",     "<mutex>",      "<random>",  "<fstream>", "<iostream>", "<sys/",         "<unistd.h>",
      "system_clock", "steady_clock", "std::rand", "getenv",    "<ctime>",    "clock_gettime", "unordered_set<"};
  for (const SourceFile& source : sources()) {
    const std::string room = room_of(source.path);
    if (room == "tests" || room == "tools") continue;
    for (const std::string& line : source.lines) {
      for (const auto& [library, home] : homes) {
        if (line.find("#include " + library) != std::string::npos && !source.path.starts_with(home))
          FAIL_CHECK(source.path << ": " << line);
      }
      if (!is_core(room)) continue;
      for (const std::string& word : banned_in_cores) {
        if (line.find(word) != std::string::npos) FAIL_CHECK(source.path << ": " << line);
      }
    }
  }
}

TEST_CASE("JSON is parsed and written in one file: elsewhere bytes of others would throw, or nest without end") {
  for (const SourceFile& source : sources()) {
    if (room_of(source.path) == "tests" || source.path == "transport/base/json_text.cpp") continue;
    for (const std::string& line : source.lines) {
      for (const char* word : {".dump(", "->dump(", "Json::parse(", "json::parse(", "from_msgpack("}) {
        if (line.find(word) != std::string::npos) FAIL_CHECK(source.path << ": use json_text.hpp: " << line);
      }
    }
  }
}

TEST_CASE("files stay rooms with one door, and no unit test sleeps") {
  const std::regex banned("\\b[A-Z]\\w*(Manager|Helper|Processor|Util)\\b");
  for (const SourceFile& source : sources()) {
    if (source.lines.size() > 400)
      FAIL_CHECK(source.path << " has " << source.lines.size() << " lines: it wants to be two");
    for (const std::string& line : source.lines) {
      if (source.path != "tests/unit/tidy_test.cpp" && std::regex_search(line, banned))
        FAIL_CHECK(source.path << ": a name that says nothing: " << line);
      if (source.path.starts_with("tests/unit") && line.find("sleep_"
                                                             "for") != std::string::npos)
        FAIL_CHECK(source.path << ": " << line);
      if (line.size() > 180) FAIL_CHECK(source.path << ": a line of " << line.size());
    }
  }
}

TEST_CASE("every folder says what lives there") {
  for (const char* room : {"storage", "lease", "conflicts", "engine", "transport", "sim", "tools", "tests", "docs"}) {
    CAPTURE(room);
    CHECK(fs::exists(fs::path(TILLSYNC_SOURCE) / room / "README.md"));
  }
}
