// Samples and the rows of the report that they become.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <iosfwd>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace tillsync::bench {

using Clock = std::chrono::steady_clock;
inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Sorted when they are asked.
class Samples {
 public:
  void add(double value) { values_.push_back(value), sorted_ = false; }
  template <class F>
  void time_us(F f) {
    const auto start = Clock::now();
    f();
    add(seconds_since(start) * 1e6);
  }
  double quantile(double q) const;
  double median() const { return quantile(0.5); }
  double p99() const { return quantile(0.99); }
  std::size_t size() const { return values_.size(); }

 private:
  mutable std::vector<double> values_;
  mutable bool sorted_ = true;
};

// One limit, what was seen of it, and how. `reference` is what it is held against, measured between the samples.
struct Figure {
  std::string what, how, unit;
  Samples ours;
  std::string reference;  // its name; empty: the limit is a number of its own
  Samples theirs;
  enum class Judge { ratio_at_most, value_at_most, value_at_least } judge = Judge::value_at_most;
  double limit = 0;       // 0: there is none
  double quantile = 0.5;  // of the samples that is judged

  double value() const { return ours.quantile(quantile); }
  double ratio() const { return theirs.size() == 0 ? 0 : value() / theirs.quantile(quantile); }
  bool holds() const;
  nlohmann::json json() const;
};

void print_table(std::ostream& out, const std::vector<Figure>& figures);

// For people and for a test's verdict: the bench is broken, not slow.
void require_that(bool condition, const std::string& otherwise);
// A bench's exit code; what goes wrong is said in a sentence.
int in_a_sentence(const std::function<void()>& bench);

std::uint64_t own_kib(int pid);  // anonymous memory of a process

}  // namespace tillsync::bench
