#include "transport/base/repeats.hpp"

namespace tillsync {

// Texts that differ in numbers only are one: ports, ages, counts.
std::string RepeatFilter::pattern_of(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit) out += c;
    if (digit && (out.empty() || out.back() != '#')) out += '#';
  }
  return out;
}

std::vector<Notice> RepeatFilter::on(Instant now, const Notice& notice) {
  std::vector<Notice> out;
  if (now >= next_sum_) sum_up(now, out);
  const std::string pattern = pattern_of(notice.text);
  const auto known = lines_.find(pattern);
  if (known != lines_.end()) {
    ++known->second.more;
  } else if (lines_.size() >= kMostTexts) {
    ++dropped_;
  } else {
    lines_.emplace(pattern, Line{notice, now});
    out.push_back(notice);
  }
  return out;
}

void RepeatFilter::sum_up(Instant now, std::vector<Notice>& out) {
  next_sum_ = now + seconds(1);
  for (auto it = lines_.begin(); it != lines_.end();) {
    Line& line = it->second;
    if (now - line.since < kEvery) {
      ++it;
      continue;
    }
    if (line.more > 0)
      out.push_back({line.notice.weight, line.notice.text + " (" + std::to_string(line.more) + " more like this in " +
                                             std::to_string(to_ms(now - line.since) / 1000) + " s)"});
    it = lines_.erase(it);
  }
  if (lines_.empty() && dropped_ > 0)
    out.push_back(
        {Notice::Weight::warning, std::to_string(std::exchange(dropped_, 0)) + " more log lines were left out"});
}

}  // namespace tillsync
