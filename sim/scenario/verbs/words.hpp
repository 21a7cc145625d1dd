// The words of a script's line: taking them apart, reading numbers and times, and guessing what somebody meant.
#pragma once

#include <optional>
#include <string>
#include <tillsync/result.hpp>
#include <tillsync/time.hpp>
#include <vector>

namespace tillsync::sim {

constexpr std::int64_t kThousandths = 1000;  // units, and percentages, are kept so

std::vector<std::string> split(const std::string& text, char by);  // without empty parts
std::string join(const std::vector<std::string>& parts, const char* by);

std::optional<std::int64_t> number(const std::string& text, std::int64_t scale);
std::string decimal(std::int64_t thousandths);

Result<Duration> parse_clock_time(const std::string& text);  // since midnight
Result<Duration> parse_duration(const std::string& value, const std::string& unit);

// "did you mean 'sell' or 'set'?", or all that is known when nothing is near.
std::string did_you_mean(const std::string& word, const std::vector<std::string>& known);

}  // namespace tillsync::sim
