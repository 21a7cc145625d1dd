// tillsync conflicts: what people may have to settle, as a till or a cloud has it.
#include <algorithm>
#include <iomanip>
#include <iostream>

#include "tools/cli.hpp"
#include "transport/clock.hpp"

namespace tillsync::cli {

namespace {

struct Arguments {
  std::string data, branch, id;
  bool all = false, json = false;
};

std::string text(const Json& value) { return value.get<std::string>(); }

Json conflicts_of(const Arguments& a) {
  Folder folder(a.data);
  return folder.ask({{"do", "conflicts"}, {"branch", a.branch}});
}

std::string ago(const Json& at_ms) { return age(read_clock().wall_ms - at_ms.get<std::int64_t>()) + " ago"; }

void list(const Arguments& a) {
  Json shown = Json::array();
  for (const Json& c : conflicts_of(a)) {
    if (a.all || c["open"] == true) shown.push_back(c);
  }
  if (a.json) return void(std::cout << shown.dump(2) << '\n');
  if (shown.empty())
    return void(std::cout << (a.all ? "There was never a conflict.\n" : "Nothing waits for anybody.\n"));
  for (const Json& c : shown) {
    std::cout << std::left << std::setw(11) << text(c["state"]) << std::setw(16) << ago(c["at_ms"])
              << text(c["summary"]) << "\n           " << text(c["id"]) << '\n';
  }
}

void show(const Arguments& a) {
  const Json all = conflicts_of(a);
  const auto it = std::find_if(all.begin(), all.end(), [&](const Json& c) { return c["id"] == a.id; });
  if (it == all.end()) throw Failure{"there is no conflict '" + a.id + "': 'tillsync conflicts list' shows them"};
  const Json& c = *it;
  if (a.json) return void(std::cout << c.dump(2) << '\n');
  std::cout << text(c["summary"]) << "\n\n  " << text(c["state"]) << ", found " << ago(c["at_ms"]) << '\n';
  if (c["money"] != 0) std::cout << "  at stake: " << thousandths(c["money"].get<std::int64_t>() * 10) << '\n';
  if (!c["sides"].empty()) std::cout << "\n";
  for (const Json& side : c["sides"]) {
    std::cout << "  " << std::left << std::setw(12) << text(side["till"]) << std::setw(16) << ago(side["at_ms"])
              << text(side["what"]) << (side["cashier"] == "" ? "" : " by " + text(side["cashier"])) << "  ("
              << text(side["key"]) << ")\n";
  }
  if (!c["history"].empty()) std::cout << "\n";
  for (const Json& step : c["history"]) {
    std::cout << "  " << ago(step["at_ms"]) << "  " << (step["who"] == "" ? "" : text(step["who"]) + ": ")
              << text(step["what"]) << (step["reason"] == "" ? "" : " (" + text(step["reason"]) + ")") << '\n';
  }
}

}  // namespace

void add_conflicts(CLI::App& app) {
  auto a = std::make_shared<Arguments>();
  CLI::App* c = app.add_subcommand("conflicts",
                                   "What does not agree, and waits for somebody's word.\n"
                                   "Example: tillsync conflicts list --data /var/lib/shop/till-1");
  c->require_subcommand(1);
  auto command = [&](const char* name, const char* what) {
    CLI::App* each = c->add_subcommand(name, what);
    each->add_option("--data", a->data, "The data folder of a till or a cloud")->required();
    each->add_option("--branch", a->branch, "At a cloud that serves several: which");
    each->add_flag("--json", a->json, "One JSON document instead");
    return each;
  };
  CLI::App* l = command("list", "Show what waits.");
  l->add_flag("--all", a->all, "Also what is settled");
  l->callback([a] { list(*a); });
  CLI::App* s = command("show", "Show one, with those that compete and what was done about it.");
  s->add_option("id", a->id, "As 'list' shows it")->required();
  s->callback([a] { show(*a); });
}

}  // namespace tillsync::cli
