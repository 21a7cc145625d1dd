// A log line that repeats is counted: the first of a minute is printed, and at its end how many more there were. So a
// peer that is refused for ever, or attacks, costs a line a minute and not a disk.
#pragma once

#include <map>
#include <string>
#include <tillsync/time.hpp>
#include <vector>

#include "engine/actions.hpp"

namespace tillsync {

class RepeatFilter {
 public:
  static constexpr Duration kEvery = std::chrono::minutes(1);
  static constexpr std::size_t kMostTexts = 500;  // different ones a minute; what is beyond is counted together

  // What to print now: the notice if it is new within its minute, before it the sums of minutes that are over.
  std::vector<Notice> on(Instant now, const Notice& notice);

 private:
  struct Line {
    Notice notice;
    Instant since;
    std::uint64_t more = 0;
  };
  void sum_up(Instant now, std::vector<Notice>& out);
  static std::string pattern_of(const std::string& text);

  std::map<std::string, Line> lines_;
  std::uint64_t dropped_ = 0;
  Instant next_sum_{};
};

}  // namespace tillsync
