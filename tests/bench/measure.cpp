#include "tests/bench/measure.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <stdexcept>

#include "tools/client/failure.hpp"

namespace tillsync::bench {

double Samples::quantile(double q) const {
  if (values_.empty()) return 0;
  if (!sorted_) std::sort(values_.begin(), values_.end());
  sorted_ = true;
  return values_[static_cast<std::size_t>(std::lround(q * static_cast<double>(values_.size() - 1)))];
}

bool Figure::holds() const {
  if (limit == 0) return true;
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
    out << (f.limit == 0 ? "      " : f.holds() ? "  ok  " : "MISSED") << "  " << f.what << '\n';
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

int in_a_sentence(const std::function<void()>& bench) {
  try {
    bench();
    return 0;
  } catch (const client::Failure& failure) {
    std::cerr << failure.sentence << '\n';
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
  }
  return 1;
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
