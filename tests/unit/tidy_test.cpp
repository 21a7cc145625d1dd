// The mechanical part of the house style, kept by a test: who may include whom, and which library lives where. How
// large parts may grow is measures_test.cpp's.
#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <vector>

#include "tests/unit/source_files.hpp"

using namespace tillsync::test;
namespace fs = std::filesystem;

namespace {

// Each room with those that it may use directly; what they may use, it may use as well. A room's own inner rooms are
// listed apart.
const std::map<std::string, std::set<std::string>> kRooms = {
    {"storage/include", {}},
    {"storage/base", {"storage/include"}},
    {"storage/model", {"storage/base"}},
    {"storage/disk", {"storage/include"}},
    {"storage/journal", {"storage/model", "storage/disk"}},
    {"storage/lmdb", {"storage/model"}},
    {"storage/postgres", {"storage/model"}},
    {"lease", {"storage/model"}},
    {"conflicts", {"storage/model"}},
    {"conflicts/tui", {"conflicts"}},
    {"engine/include", {"storage/include"}},
    {"engine/wire", {"lease"}},
    {"engine", {"engine/include", "engine/wire", "conflicts", "storage/lmdb"}},
    {"engine/ledger", {"conflicts"}},
    {"engine/till", {"engine", "engine/ledger", "storage/journal"}},
    {"engine/cloud/ingest", {"engine", "engine/ledger"}},
    {"engine/cloud", {"engine/cloud/ingest"}},
    {"transport/base", {"engine", "storage/disk"}},
    {"transport/files", {"engine/till"}},
    {"transport/net/noise", {"storage/base"}},
    {"transport/net/discovery", {"transport/base"}},
    {"transport/net", {"transport/net/noise", "transport/net/discovery"}},
    {"transport/api", {"transport/net", "engine/till", "engine/cloud"}},
    {"transport/till", {"transport/api", "transport/files"}},
    {"transport/cloud", {"transport/api", "storage/postgres"}},
    {"transport/http/import", {"transport/api"}},
    {"transport/http", {"transport/till", "transport/cloud", "transport/http/import"}},
    {"sim/world", {"engine/till", "engine/cloud", "transport/files"}},
    {"sim/rules", {"sim/world"}},
    {"sim/scenario", {"sim/rules"}},
    {"sim/draw", {"sim/scenario"}},
    {"sim/report", {"sim/scenario"}},
    {"tools/client", {"transport/http", "conflicts/tui"}},
    {"tools/cli", {"tools/client", "tools/demo", "sim/draw", "sim/report"}},
    {"tools/demo", {"tools/client"}},
    {"tools/sample", {"storage/base"}},
};

// The innermost of them; empty for the tests, which may use all.
std::string room_of(const std::string& path) {
  std::string best;
  for (const auto& [room, uses] : kRooms) {
    if (path.starts_with(room + "/") && room.size() > best.size()) best = room;
  }
  return best;
}

std::set<std::string> reach_of(const std::string& room) {
  std::set<std::string> all = {room};
  for (const std::string& used : kRooms.at(room)) all.merge(reach_of(used));
  return all;
}

const std::vector<SourceFile>& sources() { return source_files(); }

// The terminal is none; what the simulator shares with the programs must be as free of the machine as a core.
bool is_core(const std::string& room) {
  return room.starts_with("engine") || room == "lease" || room == "conflicts" || room == "transport/files";
}

}  // namespace

TEST_CASE("no arrow between the rooms points back, nor within them") {
  for (const SourceFile& source : sources()) {
    if (source.path.starts_with("tests/")) continue;
    const std::string room = room_of(source.path);
    if (room.empty()) FAIL_CHECK(source.path << " lies in no room: put it into one, or name its room here");
    if (room.empty()) continue;
    const std::set<std::string> may_use = reach_of(room);
    for (const std::string& used : includes_of(source)) {
      if (!may_use.contains(room_of(used))) FAIL_CHECK(source.path << " may not include " << used);
    }
  }
}

TEST_CASE("no part of a till knows the till") {
  for (const SourceFile& source : sources()) {
    if (!source.path.starts_with("engine/till/") || source.path.starts_with("engine/till/till_core")) continue;
    for (const std::string& used : includes_of(source)) {
      if (used == "engine/till/till_core.hpp") FAIL_CHECK(source.path << " may not include " << used);
    }
  }
}

TEST_CASE("commands and demo use the client library, which knows neither; the demo knows no command") {
  for (const SourceFile& source : sources()) {
    const bool client = source.path.starts_with("tools/client/"), demo = source.path.starts_with("tools/demo/");
    for (const std::string& line : source.lines) {
      const bool cli = line.find("#include \"tools/cli/") != std::string::npos || line.find("#include <CLI/") == 0;
      const bool wrong = (cli && (client || demo)) || (client && line.find("#include \"tools/demo/") == 0);
      if (wrong) FAIL_CHECK(source.path << " may not include " << line);
    }
  }
}

TEST_CASE("what is asked is asked by its type: no question is written by hand but for tests of the door itself") {
  const std::set<std::string> doors = {"transport/api/in_message.cpp",  "transport/api/answering.hpp",
                                       "transport/api/socket.hpp",      "tests/unit/api_test.cpp",
                                       "tests/unit/json_text_test.cpp", "tests/unit/tidy_test.cpp"};
  for (const SourceFile& source : sources()) {
    for (const std::string& line : source.lines) {
      if (!doors.contains(source.path) && line.find("{\"do\",") != std::string::npos)
        FAIL_CHECK(source.path << ": ask with a request of transport/api/requests.hpp: " << line);
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
    if (room.empty() || room.starts_with("tools")) continue;
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
    if (room_of(source.path).empty() || source.path == "transport/base/json_text.cpp") continue;
    for (const std::string& line : source.lines) {
      for (const char* word : {".dump(", "->dump(", "Json::parse(", "json::parse(", "from_msgpack("}) {
        if (line.find(word) != std::string::npos) FAIL_CHECK(source.path << ": use json_text.hpp: " << line);
      }
    }
  }
}

TEST_CASE("names say something, lines fit, and no unit test sleeps") {
  const std::regex banned("\\b[A-Z]\\w*(Manager|Helper|Processor|Util)\\b");
  for (const SourceFile& source : sources()) {
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
