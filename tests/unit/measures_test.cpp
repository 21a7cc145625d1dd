// What keeps parts small enough to be understood one at a time: classes, functions, and how far a header reaches.
// Whoever wants more names it below, with the reason; ten exceptions at most in all.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <regex>
#include <set>

#include "tests/unit/source_files.hpp"

using namespace tillsync::test;

namespace {

// Some 12 public functions and 15 members are a sign to look again; beyond these a class is two.
constexpr int kPublicFunctions = 20, kMembers = 20, kFunctionLines = 60;
constexpr std::size_t kFileLines = 400, kExceptions = 10;
constexpr int kSourceFiles = 2;  // that a class's functions may be spread over

// A class, or PATH for a file, that may have more; and why.
const std::map<std::string, std::string> kMayBeLarger = {
    {"CloudTxn", "the one door to the cloud's record: each thing that is kept there has its verbs"},
    {"LmdbCloudTxn", "it implements CloudTxn"},
    {"PostgresCloudTxn", "it implements CloudTxn"},
    {"TillView", "the one door to what a till has stored: each table has its reads"},
    {"StoreBatch", "and its writes"},
    {"TillCore", "it owns the parts of a till and hands each event to them in order; it decides nothing itself"},
    {"SimTill", "a machine in the simulator: what a till program, its disk, its clock and its network do to it"},
    {"Fleet", "what a scenario may do to a shop, and what may be asked of it"},
    {"LocalLog", "the own history: most of its functions are questions of one line"},
    {"Candidacy", "likewise: what has been collected for one ballot"},
};

bool is_product(const SourceFile& file) { return !file.path.starts_with("tests/"); }

}  // namespace

TEST_CASE("a class has one reason to change: few public functions, few members") {
  CHECK(kMayBeLarger.size() <= kExceptions);
  std::set<std::string> needed;
  for (const SourceFile& file : source_files()) {
    if (!is_product(file)) continue;
    for (const ClassMeasure& measure : classes_of(file)) {
      if (measure.public_functions <= kPublicFunctions && measure.members <= kMembers) continue;
      needed.insert(measure.name);
      if (!kMayBeLarger.contains(measure.name))
        FAIL_CHECK(file.path << ": " << measure.name << " has " << measure.public_functions << " public functions and "
                             << measure.members << " members: it wants to be two");
    }
  }
  for (const auto& [name, why] : kMayBeLarger) {
    if (!needed.contains(name)) FAIL_CHECK(name << " is small enough by now: take it from the exceptions");
  }
}

TEST_CASE("a class's functions stand in one source file, two at most") {
  std::map<std::string, std::set<std::string>> files;
  for (const SourceFile& file : source_files()) {
    if (!is_product(file) || !file.path.ends_with(".cpp")) continue;
    const std::string room = file.path.substr(0, file.path.rfind('/'));
    for (const std::string& name : classes_defined_in(file)) files[room + "/" + name].insert(file.path);
  }
  REQUIRE(files.size() > 50);
  for (const auto& [name, paths] : files) {
    if (paths.size() > kSourceFiles) FAIL_CHECK(name << " is spread over " << paths.size() << " source files");
  }
}

TEST_CASE("a function fits on a screen, and a file is one class or one topic") {
  std::size_t functions = 0;
  for (const SourceFile& file : source_files()) {
    if (file.lines.size() > kFileLines) FAIL_CHECK(file.path << " has " << file.lines.size() << " lines");
    if (!is_product(file)) continue;
    for (const FunctionMeasure& function : functions_of(file)) {
      ++functions;
      if (function.lines > kFunctionLines)
        FAIL_CHECK(file.path << ": " << function.lines << " lines: " << function.name);
    }
  }
  CHECK(functions > 500);
}

// What is compiled again after a header was touched.
TEST_CASE("headers that change often reach few sources") {
  const std::map<std::string, int> kMost = {
      {"storage/model/cloud_store.hpp", 135}, {"storage/journal/journal.hpp", 100}, {"storage/base/mutants.hpp", 30},
      {"engine/till/till_core.hpp", 90},      {"engine/cloud/cloud_core.hpp", 85},  {"transport/api/requests.hpp", 90}};
  std::map<std::string, std::vector<std::string>> includes;
  for (const SourceFile& file : source_files()) includes[file.path] = includes_of(file);
  std::map<std::string, int> reach;
  for (const auto& [path, direct] : includes) {
    if (!path.ends_with(".cpp")) continue;
    std::set<std::string> all;
    const std::function<void(const std::string&)> follow = [&](const std::string& each) {
      for (const std::string& header : includes[each]) {
        if (all.insert(header).second) follow(header);
      }
    };
    follow(path);
    for (const std::string& header : all) ++reach[header];
  }
  for (const auto& [header, most] : kMost) {
    CAPTURE(header);
    CHECK(reach[header] > 0);
    CHECK(reach[header] <= most);
  }
}

TEST_CASE("names and comments use the field's words, none of those that were retired") {
  const std::regex retired(
      "\\b(stray|twin|keep_house|worth_ending|own_words|OwnWords|BeganAnew|BranchBook|GrantBook|"
      "RowBook|StockBook|OwnChain|owe|told_\\w*)s?\\b");
  for (const SourceFile& file : source_files()) {
    if (!is_product(file)) continue;
    for (const std::string& line : file.lines) {
      if (line.find('"') == std::string::npos && std::regex_search(line, retired))
        FAIL_CHECK(file.path << ": " << line);
    }
  }
}
