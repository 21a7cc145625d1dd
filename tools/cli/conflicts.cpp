// tillsync conflicts: what people may have to settle, in a terminal or by command.
#include <algorithm>
#include <iomanip>
#include <iostream>

#include "conflicts/explain.hpp"
#include "conflicts/tui/terminal.hpp"
#include "tools/client/conflict_source.hpp"
#include "transport/api/json.hpp"
#include "transport/base/clock.hpp"

namespace tillsync::cli {

namespace {

struct ConflictsArguments {
  std::shared_ptr<ConflictPlace> place = std::make_shared<ConflictPlace>();
  std::string id, kind;
  Word word;
  bool all = false, json = false;
};

std::string ago(const Json& at_ms) { return age(read_clock().wall_ms - at_ms.get<std::int64_t>()) + " ago"; }

Json without_record(Json c) {
  c.erase("record");
  return c;
}

void list(const ConflictsArguments& a) {
  Json shown = Json::array();
  for (const Json& c : open_source(*a.place)->conflicts()) {
    if ((a.all || c["open"] == true) && (a.kind.empty() || c["kind"] == a.kind)) shown.push_back(without_record(c));
  }
  if (a.json) return void(std::cout << json_text(shown, 2) << '\n');
  if (shown.empty())
    return void(std::cout << (a.all ? "There was never a conflict.\n" : "Nothing waits for anybody.\n"));
  for (const Json& c : shown) {
    std::cout << std::left << std::setw(11) << text(c["state"]) << std::setw(16) << ago(c["at_ms"])
              << text(c["summary"]) << "\n           " << text(c["id"]) << '\n';
  }
}

void show_sides(const Json& c) {
  if (!c["sides"].empty()) std::cout << "\n";
  for (const Json& side : c["sides"]) {
    const std::string till = text(side["till"]);
    std::cout << "  " << std::left << std::setw(14) << (till.empty() ? "headquarters" : till) << std::setw(16)
              << (side["at_ms"] == 0 ? "" : ago(side["at_ms"])) << text(side["what"])
              << (text(side["cashier"]).empty() ? "" : " by " + text(side["cashier"]))
              << (side.contains("had_seen") ? ", had seen " + text(side["had_seen"]) : "")
              << (text(side["key"]).empty() ? "" : "  (" + text(side["key"]) + ")") << '\n';
  }
}

void show(const ConflictsArguments& a) {
  const Json c = find_conflict(open_source(*a.place)->conflicts(), a.id);
  if (a.json) return void(std::cout << json_text(without_record(c), 2) << '\n');
  std::cout << text(c["summary"]) << "\n\n  " << text(c["state"]) << ", found " << ago(c["at_ms"]) << " in "
            << text(c["branch"]) << '\n';
  if (c["money"] != 0) std::cout << "  at stake: " << money(c["money"].get<std::int64_t>()) << '\n';
  show_sides(c);
  if (!c["choices"].empty()) std::cout << "\n";
  for (const Json& choice : c["choices"])
    std::cout << "  --choice " << std::left << std::setw(10) << text(choice["name"]) << text(choice["words"]) << " ("
              << text(choice["preview"]) << ")\n";
  if (!c["history"].empty()) std::cout << "\n";
  for (const Json& step : c["history"]) {
    std::cout << "  " << ago(step["at_ms"]) << "  " << (text(step["who"]).empty() ? "" : text(step["who"]) + ": ")
              << text(step["what"]) << (text(step["reason"]).empty() ? "" : " (" + text(step["reason"]) + ")") << '\n';
  }
}

void resolve(const ConflictsArguments& a) {
  auto source = open_source(*a.place);
  const Json c = find_conflict(source->conflicts(), a.id);
  source->settle_or_throw(c, a.word);
  if (a.json) return void(std::cout << json_text({{"id", c["id"]}, {"settled", true}}, 2) << '\n');
  std::cout << "settled: " << text(c["summary"]) << "\nEvery till hears of it by itself.\n";
}

void why(const ConflictsArguments& a) {
  const Json c = find_conflict(open_source(*a.place)->conflicts(), a.id);
  const auto shown = conflict_from(c);
  if (!shown) throw Failure{"this conflict can't be read: is it of a newer release?"};
  const auto sentences = explain(shown->conflict);
  if (a.json) return void(std::cout << json_text({{"id", c["id"]}, {"why", sentences}}, 2) << '\n');
  for (const std::string& sentence : sentences) std::cout << sentence << '\n';
}

void add_word(CLI::App* command, ConflictsArguments& a) {
  command->add_option("--by", a.word.by, "Who says so")->default_val(login_name());
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
    auto source = open_source(*a->place);
    require(tui::run(*source, login_name()));
  });
}

}  // namespace tillsync::cli
