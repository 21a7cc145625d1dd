#include "tests/bench/measure.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <sstream>
#include <stdexcept>

namespace tillsync::bench {

double Samples::quantile(double q) const {
  if (values_.empty()) return 0;
  if (!sorted_) std::sort(values_.begin(), values_.end());
  sorted_ = true;
  return values_[static_cast<std::size_t>(q * static_cast<double>(values_.size() - 1) + 0.5)];
}

bool Figure::holds() const {
  switch (judge) {
    case Judge::ratio_at_most:
      return ratio() <= limit;
    case Judge::value_at_most:
      return value() <= limit;
    default:
      return value() >= limit;
  }
}

nlohmann::json Figure::json() const {
  return {{"what", what},
          {"how", how},
          {"unit", unit},
          {"samples", ours.size()},
          {"median", ours.median()},
          {"p99", ours.p99()},
          {"reference", reference},
          {"reference_median", theirs.median()},
          {"reference_p99", theirs.p99()},
          {"ratio", ratio()},
          {"limit", (judge == Judge::value_at_least ? "at least " : "at most ") + nlohmann::json(limit).dump() +
                        (judge == Judge::ratio_at_most ? "x" : " " + unit)},
          {"holds", holds()}};
}

namespace {
std::string number(double v) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(v < 10 ? 2 : v < 1000 ? 1 : 0) << v;
  return out.str();
}
}  // namespace

void print_table(std::ostream& out, const std::vector<Figure>& figures) {
  for (const Figure& f : figures) {
    out << (f.holds() ? "  ok  " : "MISSED") << "  " << f.what << '\n';
    out << "        " << number(f.ours.median()) << ' ' << f.unit;
    if (f.ours.size() > 1) out << ", p99 " << number(f.ours.p99());
    if (f.theirs.size() > 0) {
      out << "; " << f.reference << ' ' << number(f.theirs.median());
      if (f.theirs.size() > 1) out << ", p99 " << number(f.theirs.p99());
      out << "; " << number(f.ratio()) << 'x';
    }
    if (f.limit > 0) out << "; limit " << f.json()["limit"].get<std::string>();
    out << "\n        " << f.how << '\n';
  }
}

void require_that(bool condition, const std::string& otherwise) {
  if (!condition) throw std::runtime_error(otherwise);
}

std::uint64_t bytes_in(const std::string& folder) {
  std::uint64_t sum = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    struct stat st {};
    if (entry.is_regular_file() && ::stat(entry.path().c_str(), &st) == 0)
      sum += static_cast<std::uint64_t>(st.st_blocks) * 512;
  }
  return sum;
}

std::uint64_t own_kib(int pid) {
  const std::string field = "Anonymous";
  std::ifstream in("/proc/" + std::to_string(pid) + "/smaps_rollup");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(field + ":")) return std::stoull(line.substr(field.size() + 1));
  }
  return 0;
}

}  // namespace tillsync::bench
