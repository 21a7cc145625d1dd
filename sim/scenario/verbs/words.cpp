#include "sim/scenario/verbs/words.hpp"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <sstream>
#include <utility>

namespace tillsync::sim {

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> parts;
  std::string part;
  std::istringstream in(text);
  while (std::getline(in, part, by)) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

std::string join(const std::vector<std::string>& parts, const char* by) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : by) + part;
  return out;
}

std::optional<std::int64_t> number(const std::string& text, std::int64_t scale) {
  std::size_t used = 0;
  try {
    const double value = std::stod(text, &used);
    if (used == text.size() && value > -1e12 && value < 1e12)
      return static_cast<std::int64_t>(value * static_cast<double>(scale) + (value < 0 ? -0.5 : 0.5));
  } catch (const std::exception&) {  // said by the caller
  }
  return std::nullopt;
}

std::string decimal(std::int64_t thousandths) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", static_cast<double>(thousandths) / kThousandths);
  std::string out = text;
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out;
}

Result<Duration> parse_clock_time(const std::string& text) {
  const auto parts = split(text, ':');
  const auto wrong = [&] {
    return fail(ErrorKind::refused, "'" + text + "' is no time of day, such as 10:02 or 10:02:03.5");
  };
  if (parts.size() < 2 || parts.size() > 3) return wrong();
  const auto hours = number(parts[0], 1), minutes = number(parts[1], 1);
  const auto millis = parts.size() == 3 ? number(parts[2], 1000) : std::optional<std::int64_t>(0);
  if (!hours || !minutes || !millis || *hours < 0 || *hours > 999 || *minutes < 0 || *minutes > 59 || *millis < 0 ||
      *millis >= 60'000)
    return wrong();
  return std::chrono::hours(*hours) + std::chrono::minutes(*minutes) + milliseconds(*millis);
}

Result<Duration> parse_duration(const std::string& value, const std::string& unit) {
  constexpr Duration kLongest = std::chrono::hours(24 * 10'000);
  const auto thousandths = number(value, 1000);
  const std::pair<const char*, Duration> units[] = {{"ms", milliseconds(1)},
                                                    {"s", seconds(1)},
                                                    {"min", std::chrono::minutes(1)},
                                                    {"h", std::chrono::hours(1)},
                                                    {"d", std::chrono::hours(24)}};
  for (const auto& [name, length] : units) {
    const Duration step = length / 1000;
    const bool in_bounds =
        thousandths && *thousandths > 0 && *thousandths >= milliseconds(1) / step && *thousandths <= kLongest / step;
    if (in_bounds && unit == name) return step * *thousandths;
  }
  return fail(ErrorKind::refused, "'" + value + " " + unit + "' is no time: say it in ms, s, min, h or d");
}

namespace {

constexpr std::size_t kMostGuesses = 3;

// How many letters have to be changed, left out or put in (Levenshtein).
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string did_you_mean(const std::string& word, const std::vector<std::string>& known) {
  std::vector<std::pair<std::size_t, std::string>> near;
  for (const std::string& each : known) {
    const std::size_t far = distance(word, each);
    if (far <= std::max<std::size_t>(2, each.size() / 3) && far < each.size()) near.emplace_back(far, "'" + each + "'");
  }
  std::ranges::stable_sort(near, {}, &std::pair<std::size_t, std::string>::first);
  if (near.empty()) return "known are " + join(known, ", ");
  std::vector<std::string> guesses;
  for (const auto& [far, each] : near) {
    if (guesses.size() < kMostGuesses && far <= near.front().first + 1) guesses.push_back(each);
  }
  return "did you mean " + join(guesses, " or ") + "?";
}

}  // namespace tillsync::sim
