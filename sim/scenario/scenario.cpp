#include "sim/scenario/scenario.hpp"

#include <algorithm>
#include <cstdio>
#include <sstream>

namespace tillsync::sim {

const std::vector<Form>& grammar() {
  static const std::vector<Form> forms = {
      {Verb::sell, "sell UNITS WORD at WHO", "each of them sells so many units of a product", false},
      {Verb::sell, "sell UNITS WORD at WHO as KEY", "the same, under an idempotency key of your own", false},
      {Verb::refund, "refund UNITS WORD at WHO", "goods come back", false},
      {Verb::restock, "restock UNITS WORD at WHO", "goods arrive", false},
      {Verb::count, "count WORD as UNITS at WHO", "somebody counts the shelf: the quantity is set", false},
      {Verb::sell_unknown, "record-unknown WORD at WHO", "an op of a kind that only a later release knows", false},
      {Verb::price, "price WORD NUMBER", "headquarters sets a product's price, in cents", false},
      {Verb::drop_price, "drop-price WORD", "headquarters deletes a product", false},
      {Verb::edit, "edit WORD to NUMBER at WHO", "somebody there changes a product's price, in cents", false},
      {Verb::settle, "settle NUMBER at WHO",
       "somebody settles a conflict that waits there, the n-th from 0 on (of as many as there are), by the n-th choice",
       false},
      {Verb::crash, "crash WHO", "the process dies", true},
      {Verb::power_cut, "power-cut WHO", "the machine loses power: what was not flushed may be gone or torn", true},
      {Verb::start, "start WHO", "one that is down starts", false},
      {Verb::restart, "restart WHO", "crash and start at once", false},
      {Verb::suspend, "suspend WHO", "the process stands still, as a laptop with its lid closed", true},
      {Verb::cut, "cut WHO from WHOM", "nothing gets through, either way", true},
      {Verb::cut_one_way, "cut-one-way WHO to WHOM", "nothing gets through this way; the other way it does", true},
      {Verb::mend, "mend WHO and WHOM", "they reach each other again, both ways", false},
      {Verb::delay, "delay NUMBER ms between WHO and WHOM", "the line's delay, one way", true},
      {Verb::jitter, "jitter NUMBER ms between WHO and WHOM", "the most that chance adds to it", true},
      {Verb::loss, "loss NUMBER % between WHO and WHOM", "packets get lost, and are sent again", true},
      {Verb::reorder, "reorder NUMBER % between WHO and WHOM", "packets overtake each other", true},
      {Verb::bandwidth, "bandwidth NUMBER kbit/s between WHO and WHOM", "the line is so narrow, each way", true},
      {Verb::resets, "resets NUMBER ppm between WHO and WHOM", "so many of a million messages break the connection",
       true},
      {Verb::disk_full, "disk-full WHO", "there is no space left", true},
      {Verb::disk_free, "disk-free WHO", "there is space again", false},
      {Verb::rot, "rot NUMBER WHO", "one bit of the journal flips, at that permille of it; the till restarts", false},
      {Verb::clock, "clock WHO NUMBER s", "the machine's clock is set to be off by so much", true},
      {Verb::drift, "drift WHO NUMBER ppm", "the machine's clock runs fast, or slow", false},
      {Verb::backup, "backup WHO", "the till, or the cloud, is copied, as at night", false},
      {Verb::restore, "restore WHO", "the till, or the cloud, goes back to its backup", false},
      {Verb::clone, "clone WHO as NAME", "a copy of its disk, its key included, starts in another machine", false},
      {Verb::expel, "expel WHO", "a new roster leaves it out: stolen, or scrapped", false},
      {Verb::forge, "forge WHO", "somebody with its key sends what he overhears, changed and unchanged", true},
      {Verb::newer, "newer WHO", "it runs a later release", false},
      {Verb::hand_over, "hand-over to WHO", "the host hands the lease over", false},
      {Verb::set, "set WORD to NUMBER at WHO", "changes a setting of the branch, which only an exclusive host may",
       false},
      {Verb::fitness, "fitness NUMBER of WHO", "how fit it is to host", false},
      {Verb::expect_host, "expect host WHO", "all follow this one", false},
      {Verb::expect_no_host, "expect no-host WHO", "these follow nobody", false},
      {Verb::expect_lease, "expect lease WORD WHO", "what they know of: exclusive, provisional, none", false},
      {Verb::expect_sold, "expect sold NUMBER at WHO", "so many receipts were handed out there, in sum", false},
      {Verb::expect_refused, "expect refused NUMBER at WHO", "so many records were refused there, in sum", false},
      {Verb::expect_stock, "expect stock WORD UNITS at WHO", "what they believe is on the shelf", false},
      {Verb::expect_conflicts, "expect conflicts WORD NUMBER", "so many of a kind are open in the cloud", false},
      {Verb::expect_unsent, "expect unsent NUMBER at WHO", "so many ops wait there, at least", false},
      {Verb::expect_settled, "expect settled", "everything is everywhere", false},
  };
  return forms;
}

namespace {

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

constexpr std::int64_t kThousandths = 1000;  // units, and percentages, are kept so

bool in_thousandths(const std::string& slot, Verb verb) {
  return slot == "UNITS" || verb == Verb::loss || verb == Verb::reorder;
}

std::string decimal(std::int64_t thousandths) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", static_cast<double>(thousandths) / kThousandths);
  std::string out = text;
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out;
}

// Fills one slot or matches one word of a form.
bool take(const std::string& slot, const std::string& word, Step& step) {
  if (slot == "WHO") return step.who = split(word, ','), !step.who.empty();
  if (slot == "WHOM") return step.whom = split(word, ','), !step.whom.empty();
  if (slot == "WORD" || slot == "NAME") return step.word = word, true;
  if (slot == "KEY") return step.key = word, true;
  if (slot != "UNITS" && slot != "NUMBER") return slot == word;
  const auto value = number(word, in_thousandths(slot, step.verb) ? kThousandths : 1);
  if (value) step.number = *value;
  return value.has_value();
}

bool matches(const Form& form, const std::vector<std::string>& words, std::size_t from, Step& step) {
  const std::vector<std::string> slots = split(form.pattern, ' ');
  step.verb = form.verb;
  if (words.size() < from + slots.size()) return false;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (!take(slots[i], words[from + i], step)) return false;
  }
  from += slots.size();
  if (from == words.size()) return true;
  if (!form.lasts || words.size() != from + 3 || words[from] != "for") return false;
  const auto lasting = parse_duration(words[from + 1], words[from + 2]);
  if (lasting) step.lasting = *lasting;
  return lasting.has_value();
}

std::string forms_like(const std::vector<std::string>& words) {
  std::string exact, all;
  for (const Form& form : grammar()) {
    const std::vector<std::string> slots = split(form.pattern, ' ');
    const bool two = slots[0] == "expect" && words.size() > 2 && slots[1] == words[2];
    if (words.size() > 1 && slots[0] == words[1] && (slots[0] != "expect" || two))
      exact += std::string(exact.empty() ? "" : " or ") + "'" + form.pattern + (form.lasts ? " [for TIME]'" : "'");
    all += (all.empty() ? "" : ", ") + slots[0];
  }
  return exact.empty() ? "there is no such verb" : "it should read " + exact;
}

}  // namespace

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

std::string Scenario::clock_time(Duration at) const {
  if (at == kAtEnd) return "end";
  const std::int64_t ms = to_ms(start + at);
  char text[40];
  std::snprintf(text, sizeof text, "%02d:%02d:%02d.%03d", static_cast<int>(ms / 3'600'000),
                static_cast<int>(ms / 60'000 % 60), static_cast<int>(ms / 1000 % 60), static_cast<int>(ms % 1000));
  return text;
}

std::string Scenario::line_of(const Step& step) const {
  std::string out = clock_time(step.at);
  for (const Form& form : grammar()) {
    const std::string pattern = form.pattern;
    if (form.verb != step.verb || (pattern.find(" KEY") != std::string::npos) != !step.key.empty()) continue;
    for (const std::string& slot : split(pattern, ' ')) {
      const bool fine = in_thousandths(slot, step.verb);
      out += ' ';
      if (slot == "WHO")
        out += join(step.who, ",");
      else if (slot == "WHOM")
        out += join(step.whom, ",");
      else if (slot == "WORD" || slot == "NAME")
        out += step.word;
      else if (slot == "KEY")
        out += step.key;
      else if (slot == "UNITS" || slot == "NUMBER")
        out += fine ? decimal(step.number) : std::to_string(step.number);
      else
        out += slot;
    }
    break;
  }
  if (step.lasting) out += " for " + std::to_string(to_ms(*step.lasting)) + " ms";
  return out;
}

Result<Step> parse_step(const Scenario& scenario, const std::string& line) {
  const std::vector<std::string> words = split(line, ' ');
  Step step;
  if (!words.empty() && words[0] == "end") {
    step.at = Scenario::kAtEnd;
  } else {
    const auto at = parse_clock_time(words.empty() ? "" : words[0]);
    if (!at) return tl::unexpected(at.error());
    step.at = *at - scenario.start;
    if (step.at < Duration::zero()) return fail(ErrorKind::refused, "'" + words[0] + "' is before the world begins");
  }
  for (const Form& form : grammar()) {
    Step tried;
    tried.at = step.at;
    if (matches(form, words, 1, tried)) return tried;
  }
  return fail(ErrorKind::refused, "'" + line + "' is not understood: " + forms_like(words));
}

Scenario Scenario::spelled_out() const {
  Scenario out = *this;
  out.sales.clear();
  Random dice(plan.seed ^ 0x73616c6573ULL);
  int number = 0;
  for (const Sales& each : sales) {
    for (int i = 0; i < each.count; ++i) {
      Step step;
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
