#include "storage/disk/damage_check.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <thread>

#include "transport/base/repeats.hpp"

using namespace tillsync;

namespace {

const auto kSoundCheck = [] { return Result<void>(); };
const auto kRefusing = [] { return Result<void>(fail(ErrorKind::disk_full, "no room")); };
const auto kCrashing = []() -> Result<void> { std::abort(); };

void expect_right_verdicts() {
  CHECK(check_in_child(kSoundCheck));
  const auto refused = check_in_child(kRefusing);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::disk_full);
  CHECK(refused.error().message == "no room");
  const auto crashed = check_in_child(kCrashing);
  REQUIRE_FALSE(crashed);
  CHECK(crashed.error().kind == ErrorKind::damaged);
}

}  // namespace

TEST_CASE("a check in a child says sound, what is wrong, or that it crashed") { expect_right_verdicts(); }

TEST_CASE("a program that ignores its children is not told that a sound database is damaged") {
  const auto before = std::signal(SIGCHLD, SIG_IGN);
  expect_right_verdicts();
  std::signal(SIGCHLD, before);
}

TEST_CASE("nor is one that waits for every child itself") {
  const auto before = std::signal(SIGCHLD, [](int) {
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
  });
  for (int i = 0; i < 20; ++i) expect_right_verdicts();
  std::signal(SIGCHLD, before);
}

TEST_CASE("a log line that repeats is printed once a minute, with the number of the others") {
  RepeatFilter filter;
  const Instant start{};
  auto at = [&](Duration when, const char* text) {
    std::vector<std::string> lines;
    for (const Notice& each : filter.on(start + when, {Notice::Weight::warning, text})) lines.push_back(each.text);
    return lines;
  };
  using Lines = std::vector<std::string>;
  CHECK(at(seconds(1), "refused till-3 at port 4711") == Lines{"refused till-3 at port 4711"});
  for (int i = 0; i < 500; ++i) CHECK(at(seconds(2) + milliseconds(i), "refused till-3 at port 4712").empty());
  CHECK(at(seconds(3), "something else") == Lines{"something else"});
  CHECK(at(seconds(62), "refused till-3 at port 9") ==
        Lines{"refused till-3 at port 4711 (500 more like this in 61 s)", "refused till-3 at port 9"});
}
