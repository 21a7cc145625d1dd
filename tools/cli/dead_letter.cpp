// tillsync dead-letter: ops that the cloud did not take, because they break a rule. Nothing behind them waits.
#include <iomanip>
#include <iostream>

#include "tools/cli/options.hpp"
#include "transport/base/clock.hpp"

namespace tillsync::cli {

namespace {

struct DeadLetterArguments {
  std::shared_ptr<ConflictPlace> place = std::make_shared<ConflictPlace>();
  std::string id;
  std::vector<std::string> stock;
  Word word;
  bool all = false, json = false;
};

std::vector<api::ConflictView> dead_letters(client::ConflictSource& source) {
  auto out = require(source.conflicts());
  std::erase_if(out, [](const api::ConflictView& c) { return c.kind != "dead_letter"; });
  return out;
}

void list(const DeadLetterArguments& a) {
  std::vector<api::ConflictView> shown = dead_letters(*client::open_source(*a.place));
  std::erase_if(shown, [&](const api::ConflictView& c) { return !a.all && !c.open; });
  for (api::ConflictView& c : shown) c.record.reset();
  if (a.json) return print_json(shown);
  if (shown.empty()) return void(std::cout << "No op was refused" << (a.all ? ".\n" : " that waits for anybody.\n"));
  for (const api::ConflictView& c : shown) {
    std::cout << std::left << std::setw(11) << c.state << std::setw(16) << age(read_clock().wall_ms - c.at_ms) + " ago"
              << (c.sides.empty() ? "" : c.sides.front().what) << " (" << c.subject << ")\n           " << c.summary
              << "\n           " << c.id << '\n';
  }
}

std::int64_t milli_of(const std::string& text) {
  std::size_t used = 0;
  double units = 0;
  try {
    units = std::stod(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  if (used == 0 || used != text.size() || units > 1e9 || units < -1e9)
    throw Failure{"'" + text + "' is no quantity: a number such as -2 or 0.75"};
  return static_cast<std::int64_t>(units * 1000 + (units < 0 ? -0.5 : 0.5));
}

void settle(const DeadLetterArguments& a, const char* choice) {
  auto source = client::open_source(*a.place);
  const auto c = require(client::find_conflict(dead_letters(*source), a.id));
  Word word = a.word;
  word.choice = choice;
  for (const std::string& each : a.stock) {
    const auto at = each.rfind('=');
    if (at == std::string::npos || at == 0) throw Failure{"'" + each + "' is no change: give SKU=QUANTITY"};
    word.moves.push_back({each.substr(0, at), milli_of(each.substr(at + 1)), 0});
  }
  if (word.choice == "edit" && word.moves.empty())
    throw Failure{"what did happen? Give each product with --stock SKU=QUANTITY, such as cola=-2 for two sold"};
  require(source->settle(c, word));
  std::cout << word.choice << ": " << c.subject << '\n';
}

}  // namespace

void add_dead_letter(CLI::App& app) {
  auto a = std::make_shared<DeadLetterArguments>();
  CLI::App* d = app.add_subcommand("dead-letter",
                                   "Ops that the cloud did not take, because they break a rule; what is behind them "
                                   "went on.\nExample: tillsync dead-letter list --data /var/lib/shop/till-1");
  d->require_subcommand(1);
  auto command = [&](const char* name, const char* what) {
    CLI::App* each = d->add_subcommand(name, what);
    add_place(each, a->place);
    return each;
  };
  CLI::App* l = command("list", "Show those that wait.");
  l->add_flag("--all", a->all, "Also those that are settled");
  l->add_flag("--json", a->json, "One JSON document instead");
  l->callback([a] { list(*a); });
  auto about = [&](const char* name, const char* what) {
    CLI::App* each = command(name, what);
    each->add_option("id", a->id, "As 'list' shows it, or a part of it")->required();
    return each;
  };
  CLI::App* s = about("show", "Show one, as JSON.");
  s->callback([a] {
    auto c = require(client::find_conflict(dead_letters(*client::open_source(*a->place)), a->id));
    c.record.reset();
    print_json(c);
  });
  auto deciding = [&](const char* name, const char* what) {
    CLI::App* each = about(name, what);
    each->add_option("--by", a->word.by, "Who says so")->default_val(client::login_name());
    each->add_option("--reason", a->word.reason, "Why, in a few words: it is kept with it");
    each->callback([a, name] { settle(*a, name); });
    return each;
  };
  deciding("edit",
           "It happened, with other quantities.\nExample: tillsync dead-letter edit ID --stock cola=-2 --by anna "
           "--reason 'typing error' --data /var/lib/shop/till-1")
      ->add_option("--stock", a->stock, "SKU=QUANTITY by which the stock changes; any number of times");
  deciding("replay", "Take it as it is: the rule that refused it has been changed.");
  deciding("discard", "It counts for nothing: it never happened, or was recorded anew.");
}

}  // namespace tillsync::cli
