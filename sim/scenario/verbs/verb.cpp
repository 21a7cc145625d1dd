#include "sim/scenario/verbs/verb.hpp"

#include <algorithm>

#include "sim/scenario/verbs/words.hpp"

namespace tillsync::sim {

namespace {

bool is_number(const std::string& slot) { return slot == "UNITS" || slot == "NUMBER"; }

// Units and percentages.
bool in_thousandths(const std::vector<std::string>& slots, std::size_t i) {
  return slots[i] == "UNITS" || (i + 1 < slots.size() && slots[i + 1] == "%");
}

// Fills one slot, or matches one word. Empty, or what is wrong.
std::string take(const std::vector<std::string>& slots, std::size_t i, const std::string& word, Step& step) {
  const std::string& slot = slots[i];
  if (slot == "WHO" || slot == "WHOM") {
    auto& names = slot == "WHO" ? step.who : step.whom;
    names = split(word, ',');
    return names.empty() ? "'" + word + "' names nobody" : "";
  }
  if (slot == "WORD" || slot == "NAME") return step.word = word, "";
  if (slot == "KEY") return step.key = word, "";
  if (!is_number(slot)) return slot == word ? "" : "'" + word + "' stands where '" + slot + "' should";
  const auto value = number(word, in_thousandths(slots, i) ? kThousandths : 1);
  if (value) step.number = *value;
  return value ? "" : "'" + word + "' is no number";
}

}  // namespace

struct Verb::Reading {
  Step step;
  std::size_t understood = 0;  // words
  std::string wrong;           // empty: nothing
};

std::string Verb::pattern(const Form& form) const {
  return name_ + (form.slots.empty() ? "" : " " + form.slots) + (lasts_ == Lasts::yes ? " [for TIME]" : "");
}

Verb::Reading Verb::read(const Form& form, const std::vector<std::string>& words) const {
  const std::vector<std::string> slots = split(form.slots, ' ');
  Reading out;
  out.step.verb = this;
  std::size_t& at = out.understood = split(name_, ' ').size();
  for (std::size_t i = 0; i < slots.size(); ++i, ++at) {
    out.wrong = at < words.size() ? take(slots, i, words[at], out.step) : "it ends too soon";
    if (!out.wrong.empty()) return out;
  }
  if (at == words.size()) {
    out.wrong = objection(out.step);
  } else if (lasts_ == Lasts::no || words[at] != "for" || words.size() != at + 3) {
    out.wrong = "'" + words[at] + "' is too much";
  } else if (const auto lasting = parse_duration(words[at + 1], words[at + 2])) {
    out.step.lasting = *lasting;
    out.wrong = objection(out.step);
  } else {
    out.wrong = lasting.error().message;
  }
  return out;
}

Result<Step> Verb::read(const std::vector<std::string>& words) const {
  Reading best;
  std::string patterns;
  for (const Form& form : forms_) {
    Reading tried = read(form, words);
    if (tried.wrong.empty()) return tried.step;
    if (best.wrong.empty() || tried.understood > best.understood) best = std::move(tried);
    patterns += (patterns.empty() ? "'" : " or '") + pattern(form) + "'";
  }
  return fail(ErrorKind::refused, best.wrong + "; it should read " + patterns);
}

std::string Verb::write(const Step& step) const {
  std::string out = name_;
  for (const Form& form : forms_) {
    const std::vector<std::string> slots = split(form.slots, ' ');
    const bool has_key = std::ranges::find(slots, "KEY") != slots.end();
    if (has_key != !step.key.empty()) continue;
    for (std::size_t i = 0; i < slots.size(); ++i) {
      const std::string& slot = slots[i];
      out += ' ';
      if (slot == "WHO" || slot == "WHOM")
        out += join(slot == "WHO" ? step.who : step.whom, ",");
      else if (slot == "WORD" || slot == "NAME")
        out += step.word;
      else if (slot == "KEY")
        out += step.key;
      else if (is_number(slot))
        out += in_thousandths(slots, i) ? decimal(step.number) : std::to_string(step.number);
      else
        out += slot;
    }
    break;
  }
  if (step.lasting) out += " for " + std::to_string(to_ms(*step.lasting)) + " ms";
  return out;
}

Played VerbAtEach::play(Stage& stage, const Step& step) const {
  bool done = false;
  for (const std::string& who : step.who) {
    if (who == "cloud") {
      done = at_cloud(stage, step) || done;
    } else if (SimTill* till = stage.fleet().find(who)) {
      done = at(stage, step, *till) || done;
    }
  }
  return done;
}

void VerbAtEach::undo(Stage& stage, const Step& step) const {
  for (const std::string& who : step.who) {
    if (who == "cloud") {
      undo_at_cloud(stage);
    } else if (SimTill* till = stage.fleet().find(who)) {
      undo_at(stage, *till);
    }
  }
}

}  // namespace tillsync::sim
