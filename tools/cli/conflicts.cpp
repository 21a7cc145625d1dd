// tillsync conflicts: what people may have to settle, in a terminal or by command.
#include <iomanip>
#include <iostream>

#include "conflicts/explain.hpp"
#include "conflicts/tui/terminal.hpp"
#include "tools/cli/options.hpp"
#include "transport/base/clock.hpp"

namespace tillsync::cli {

namespace {

struct ConflictsArguments {
  std::shared_ptr<ConflictPlace> place = std::make_shared<ConflictPlace>();
  std::string id, kind;
  Word word;
  bool all = false, json = false;
};

std::string ago(std::int64_t at_ms) { return age(read_clock().wall_ms - at_ms) + " ago"; }

api::ConflictView without_record(api::ConflictView c) {
  c.record.reset();
  return c;
}

api::ConflictView find(const ConflictsArguments& a) {
  return require(client::find_conflict(require(client::open_source(*a.place)->conflicts()), a.id));
}

void list(const ConflictsArguments& a) {
  std::vector<api::ConflictView> shown;
  for (const api::ConflictView& c : require(client::open_source(*a.place)->conflicts())) {
    if ((a.all || c.open) && (a.kind.empty() || c.kind == a.kind)) shown.push_back(without_record(c));
  }
  if (a.json) return print_json(shown);
  if (shown.empty())
    return void(std::cout << (a.all ? "There was never a conflict.\n" : "Nothing waits for anybody.\n"));
  for (const api::ConflictView& c : shown) {
    std::cout << std::left << std::setw(11) << c.state << std::setw(16) << ago(c.at_ms) << c.summary << "\n           "
              << c.id << '\n';
  }
}

void show_sides(const api::ConflictView& c) {
  if (!c.sides.empty()) std::cout << "\n";
  for (const api::SideView& side : c.sides) {
    std::cout << "  " << std::left << std::setw(14) << (side.till.empty() ? "headquarters" : side.till) << std::setw(16)
              << (side.at_ms == 0 ? "" : ago(side.at_ms)) << side.what
              << (side.cashier.empty() ? "" : " by " + side.cashier)
              << (side.had_seen ? ", had seen " + *side.had_seen : "")
              << (side.key.empty() ? "" : "  (" + side.key + ")") << '\n';
  }
}

void show(const ConflictsArguments& a) {
  const api::ConflictView c = find(a);
  if (a.json) return print_json(without_record(c));
  std::cout << c.summary << "\n\n  " << c.state << ", found " << ago(c.at_ms) << " in " << c.branch << '\n';
  if (c.money != 0) std::cout << "  at stake: " << money(c.money) << '\n';
  show_sides(c);
  if (!c.choices.empty()) std::cout << "\n";
  for (const api::ChoiceView& choice : c.choices)
    std::cout << "  --choice " << std::left << std::setw(10) << choice.name << choice.words << " (" << choice.preview
              << ")\n";
  if (!c.history.empty()) std::cout << "\n";
  for (const api::StepView& step : c.history) {
    std::cout << "  " << ago(step.at_ms) << "  " << (step.who.empty() ? "" : step.who + ": ") << step.what
              << (step.reason.empty() ? "" : " (" + step.reason + ")") << '\n';
  }
}

void resolve(const ConflictsArguments& a) {
  auto source = client::open_source(*a.place);
  const auto c = require(client::find_conflict(require(source->conflicts()), a.id));
  require(source->settle(c, a.word));
  if (a.json) return void(std::cout << json_text({{"id", c.id}, {"settled", true}}, 2) << '\n');
  std::cout << "settled: " << c.summary << "\nEvery till hears of it by itself.\n";
}

void why(const ConflictsArguments& a) {
  const api::ConflictView c = find(a);
  const auto shown = api::conflict_of(c);
  if (!shown) throw Failure{"this conflict can't be read: is it of a newer release?"};
  const auto sentences = explain(shown->conflict);
  if (a.json) return void(std::cout << json_text({{"id", c.id}, {"why", sentences}}, 2) << '\n');
  for (const std::string& sentence : sentences) std::cout << sentence << '\n';
}

void add_word(CLI::App* command, ConflictsArguments& a) {
  command->add_option("--by", a.word.by, "Who says so")->default_val(client::login_name());
  command->add_option("--reason", a.word.reason, "Why, in a few words: it is kept with it");
}

}  // namespace

void add_conflicts(CLI::App& app) {
  auto a = std::make_shared<ConflictsArguments>();
  CLI::App* c = app.add_subcommand(
      "conflicts",
      "What does not agree, and waits for somebody's word: a screen to settle it on, or by command.\n"
      "Examples: tillsync conflicts --data /var/lib/shop/till-1\n"
      "          tillsync conflicts --at cloud@sync.example.com:7800 --key anna.key --roster main-street.roster");
  add_place(c, a->place);
  auto command = [&](const char* name, const char* what) {
    CLI::App* each = c->add_subcommand(name, what);
    add_place(each, a->place);
    each->add_flag("--json", a->json, "One JSON document instead");
    return each;
  };
  CLI::App* l = command("list", "Show what waits.\nExample: tillsync conflicts list --data /var/lib/shop/till-1");
  l->add_flag("--all", a->all, "Also what is settled");
  l->add_option("--kind", a->kind, "Only these, such as below_zero");
  l->callback([a] { list(*a); });
  auto about = [&](const char* name, const char* what) {
    CLI::App* each = command(name, what);
    each->add_option("id", a->id, "As 'list' shows it, or a part of it")->required();
    return each;
  };
  about("show", "Show one: those that compete, what can be done, and what was done.")->callback([a] { show(*a); });
  about("explain", "Which rule decided what, and why.")->callback([a] { why(*a); });
  CLI::App* r = about("resolve",
                      "Settle one.\nExample: tillsync conflicts resolve ID --choice zero --by anna --reason 'shelf is "
                      "empty' --data /var/lib/shop/till-1");
  r->add_option("--choice", a->word.choice, "One that 'show' offers; the usual one when left out");
  add_word(r, *a);
  r->callback([a] { resolve(*a); });
  CLI::App* u = about("undo", "Take a settlement back: it waits again, and what it changed is taken back.");
  add_word(u, *a);
  u->callback([a] {
    a->word.choice = "reopen";
    resolve(*a);
  });
  c->callback([a, c] {
    if (!c->get_subcommands().empty()) return;
    auto source = client::open_source(*a->place);
    require(tui::run(*source, client::login_name()));
  });
}

}  // namespace tillsync::cli
