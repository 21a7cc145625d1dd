// The language of scenarios: what can be written can be read, and what can't be read is named where it stands.
#include <doctest/doctest.h>

#include "conflicts/explain.hpp"
#include "sim/scenario/scenario_file.hpp"
#include "sim/scenario/verbs/verb_table.hpp"
#include "sim/scenario/verbs/words.hpp"

using namespace tillsync;
using namespace tillsync::sim;

namespace {

Scenario shop() {
  Scenario out;
  out.start = std::chrono::hours(10);
  out.length = std::chrono::hours(1);
  return out;
}

std::string filled(const Verb& verb, const Verb::Form& form) {
  std::string out = verb.name();
  for (const std::string& slot : split(form.slots, ' ')) {
    const bool lease = verb.name() == "expect lease", conflicts = verb.name() == "expect conflicts";
    out += ' ';
    if (slot == "WHO")
      out += "till-1,till-2";
    else if (slot == "WHOM")
      out += "rest,cloud";
    else if (slot == "UNITS")
      out += "1.5";
    else if (slot == "NUMBER")
      out += "7";
    else if (slot == "WORD")
      out += lease ? "exclusive" : conflicts ? "below_zero" : "loaf";
    else if (slot == "NAME" || slot == "KEY")
      out += "another";
    else
      out += slot;
  }
  return out;
}

std::string refusal(const std::string& line) {
  const auto step = parse_step(shop(), line);
  return step ? "" : step.error().message;
}

std::string file_with(const std::string& script) {
  return "name = \"x\"\nstart = \"10:00\"\nend = \"10:10\"\nscript = " + script + "\n\n[branch]\ntills = 2\n";
}

std::string file_refusal(const std::string& text) {
  const auto scenario = parse_scenario(text, "x.toml");
  return scenario ? "" : scenario.error().message;
}

}  // namespace

TEST_CASE("every form of every verb is written as it was read") {
  const Scenario scenario = shop();
  for (const Verb* verb : all_verbs()) {
    for (const Verb::Form& form : verb->forms()) {
      const std::string line = "10:02:00.000 " + filled(*verb, form);
      CAPTURE(line);
      const auto step = parse_step(scenario, line);
      REQUIRE(step);
      CHECK(step->verb == verb);
      CHECK(step->at == std::chrono::minutes(2));
      CHECK(scenario.line_of(*step) == line);
      const bool lasts = verb->pattern(form).ends_with("[for TIME]");
      const auto for_a_while = parse_step(scenario, line + " for 1.5 s");
      CHECK(for_a_while.has_value() == lasts);
      if (!lasts) continue;
      CHECK(scenario.line_of(*for_a_while) == line + " for 1500 ms");
      CHECK(parse_step(scenario, scenario.line_of(*for_a_while)).value() == *for_a_while);
    }
  }
}

TEST_CASE("no two verbs have one name, and none is the beginning of another's") {
  for (const Verb* a : all_verbs()) {
    for (const Verb* b : all_verbs()) {
      CAPTURE(a->name());
      if (a != b) CHECK_FALSE((b->name() + " ").starts_with(a->name() + " "));
    }
  }
}

TEST_CASE("a line that can't be read says what is wrong, and how it should read") {
  CHECK(refusal("10:02 sel 1 loaf at till-1").find("there is no verb 'sel': did you mean 'sell'") != std::string::npos);
  CHECK(refusal("10:02 expect stok loaf 1 at till-1").find("'expect stok': did you mean 'expect stock'?") !=
        std::string::npos);
  CHECK(refusal("10:02 sell one loaf at till-1").find("'one' is no number; it should read 'sell UNITS WORD at WHO'") !=
        std::string::npos);
  CHECK(refusal("10:02 sell 1 loaf in till-1").find("'in' stands where 'at' should") != std::string::npos);
  CHECK(refusal("10:02 crash").find("it ends too soon; it should read 'crash WHO [for TIME]'") != std::string::npos);
  CHECK(refusal("10:02 crash till-1 for 3 parsecs").find("'3 parsecs' is no time") != std::string::npos);
  CHECK(refusal("10:02 start till-1 for 3 s").find("'for' is too much") != std::string::npos);
  CHECK(refusal("9:00 crash till-1").find("before the world begins") != std::string::npos);
  CHECK(refusal("10:02").find("there is no verb ''") != std::string::npos);
  CHECK_FALSE(refusal("").empty());
}

TEST_CASE("what is expected of leases and conflicts names a kind that there is") {
  CHECK(refusal("10:02 expect conflicts below_zer 1")
            .find("no 'expect conflicts below_zer': did you mean 'below_zero'?") != std::string::npos);
  CHECK(refusal("10:02 expect conflicts nonsense 0").find("known are any, below_zero, ") != std::string::npos);
  CHECK(refusal("10:02 expect lease exclusiv till-1").find("did you mean 'exclusive'?") != std::string::npos);
  for (const char* kind :
       {"below_zero", "clock_suspect", "count_with_sales", "dead_letter", "duplicate_key", "edit_delete", "edit_edit",
        "forked_history", "stale_price", "two_grants", "two_resolutions", "refund_above_sale", "unknown_sale"}) {
    CAPTURE(kind);
    CHECK(refusal(std::string("10:02 expect conflicts ") + kind + " 1").empty());
    Conflict conflict;
    conflict.kind = kind;
    for (const std::string& sentence : explain(conflict)) CHECK(sentence.find("does not know") == std::string::npos);
  }
}

TEST_CASE("a wrong line of a scenario file is named by its own number") {
  for (const std::string quotes : {"'''", "\"\"\""}) {
    CAPTURE(quotes);
    const std::string on_lines = file_with(quotes + "\n10:01 crash till-1\n\n10:02 crsh till-1\n" + quotes);
    CHECK(file_refusal(on_lines).starts_with("x.toml, line 7: "));
    const std::string at_once = file_with(quotes + "10:01 crsh till-1\n10:02 crash till-1\n" + quotes);
    CHECK(file_refusal(at_once).starts_with("x.toml, line 4: "));
  }
  CHECK(file_refusal(file_with("'10:01 crsh till-1'")).starts_with("x.toml, line 4: "));
  CHECK(file_refusal(file_with("'''10:01 crsh till-1'''")).starts_with("x.toml, line 4: "));
  CHECK(file_refusal(file_with("'''\r\n10:01 crsh till-1\r\n'''")).starts_with("x.toml, line 5: "));
}

TEST_CASE("when a till or a clone is taken out of a scenario, what names it goes as well") {
  Scenario scenario = shop();
  scenario.plan.tills = 3;
  const char* lines[] = {"10:01 clone till-3 as twin", "10:02 crash twin", "10:03 crash till-2",
                         "10:04 cut host from till-3"};
  for (const char* line : lines) scenario.steps.push_back(parse_step(scenario, line).value());
  scenario.drop_strangers();
  CHECK(scenario.steps.size() == 4);
  scenario.plan.tills = 2;
  scenario.drop_strangers();
  REQUIRE(scenario.steps.size() == 1);
  CHECK(scenario.line_of(scenario.steps[0]) == "10:03:00.000 crash till-2");
}

TEST_CASE("a machine that is not there is named with its line, in the script and in the sales") {
  const std::string in_script = file_refusal(file_with("'''\n10:01 crash till-1\n10:02 crash tlil-2\n'''"));
  CHECK(in_script.starts_with("x.toml, line 6: "));
  CHECK(in_script.find("there is no 'tlil-2' by then: did you mean 'till-2'") != std::string::npos);
  const std::string in_sales =
      file_refusal(file_with("''") + "\n[[sales]]\ncount = 5\n\n[[sales]]\ncount = 5\ntills = [\"till-9\"]\n");
  CHECK(in_sales.starts_with("x.toml, line 12: "));
  CHECK(file_refusal(file_with("'''\n10:01 clone till-1 as twin\n10:02 crash twin\n'''")).empty());
}
