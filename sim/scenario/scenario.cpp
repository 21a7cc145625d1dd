#include "sim/scenario/scenario.hpp"

#include <algorithm>
#include <cstdio>

#include "sim/scenario/verbs/verb_table.hpp"
#include "sim/scenario/verbs/words.hpp"

namespace tillsync::sim {

Result<Step> parse_step(const Scenario& scenario, const std::string& line) {
  std::vector<std::string> words = split(line, ' ');
  const std::string time = words.empty() ? "" : words[0];
  Duration at = Scenario::kAtEnd;
  if (time != "end") {
    const auto clock = parse_clock_time(time);
    if (!clock) return tl::unexpected(clock.error());
    at = *clock - scenario.start;
    if (at < Duration::zero()) return fail(ErrorKind::refused, "'" + time + "' is before the world begins");
  }
  words.erase(words.begin());
  auto step = read_verb(words);
  if (!step) return fail(ErrorKind::refused, "'" + line + "' is not understood: " + step.error().message);
  step->at = at;
  return step;
}

std::string Scenario::line_of(const Step& step) const { return clock_time(step.at) + " " + step.verb->write(step); }

std::vector<std::string> Scenario::machines() const {
  std::vector<std::string> out{"cloud", "host", "rest", "all"};
  for (int b = 1; b <= plan.branches; ++b) {
    for (int t = 1; t <= plan.tills; ++t)
      out.push_back((b == 1 ? "" : "b" + std::to_string(b) + "-") + "till-" + std::to_string(t));
  }
  return out;
}

void Scenario::drop_strangers() {
  std::vector<std::string> known = machines();
  std::erase_if(steps, [&](const Step& step) {
    if (!stranger_among(step, known).empty()) return true;
    if (const std::string name = step.verb->introduces(step); !name.empty()) known.push_back(name);
    return false;
  });
}

std::string stranger_among(const Step& step, const std::vector<std::string>& known) {
  for (const auto& names : {step.who, step.whom}) {
    for (const std::string& name : names) {
      if (std::ranges::find(known, name) == known.end()) return name;
    }
  }
  return "";
}

std::string Scenario::clock_time(Duration at) const {
  if (at == kAtEnd) return "end";
  const std::int64_t ms = to_ms(start + at);
  char text[40];
  std::snprintf(text, sizeof text, "%02d:%02d:%02d.%03d", static_cast<int>(ms / 3'600'000),
                static_cast<int>(ms / 60'000 % 60), static_cast<int>(ms / 1000 % 60), static_cast<int>(ms % 1000));
  return text;
}

Scenario Scenario::spelled_out() const {
  Scenario out = *this;
  out.sales.clear();
  Random dice(plan.seed ^ 0x73616c6573ULL);
  const Verb& sell = verb("sell");
  int number = 0;
  for (const Sales& each : sales) {
    for (int i = 0; i < each.count; ++i) {
      Step step;
      step.verb = &sell;
      const auto within = static_cast<std::uint64_t>(to_ms(each.until - each.from));
      step.at = each.from + milliseconds(dice.below(within));
      const auto till = dice.below(each.tills.empty() ? static_cast<std::uint64_t>(plan.tills) : each.tills.size());
      step.who = {each.tills.empty() ? "till-" + std::to_string(till + 1) : each.tills[till]};
      step.word = "sku-" + std::to_string(dice.below(static_cast<std::uint64_t>(each.products)));
      step.number = kThousandths * static_cast<std::int64_t>(1 + dice.below(3));
      step.key = "sale/" + std::to_string(++number);
      out.steps.push_back(std::move(step));
    }
  }
  std::stable_sort(out.steps.begin(), out.steps.end(), [](const Step& a, const Step& b) { return a.at < b.at; });
  return out;
}

}  // namespace tillsync::sim
