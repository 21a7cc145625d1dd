// tillsync setting: what the whole branch has to agree on; only the host changes it, under an exclusive lease.
#include <iostream>

#include "tools/cli/cli.hpp"

namespace tillsync::cli {

namespace {

struct SettingArguments {
  std::string data, name, value;
  bool json = false;
};

void set(const SettingArguments& a) {
  Folder folder(a.data);
  const auto value = parse_json(a.value, kMaxValueDepth);  // a number, true, "text" ... or else a text as it stands
  require(folder.ask(api::CommandRequest{a.name, value ? *value : Json(a.value)}));
  std::cout << a.name << " is set; the tills hear of it by themselves\n";
}

void list(const SettingArguments& a) {
  Folder folder(a.data);
  const api::Values all = require(folder.ask(api::SettingsRequest{}));
  if (a.json) return print_json(all);
  for (const auto& [name, value] : all) std::cout << "  " << name << " = " << json_text(value) << '\n';
  if (all.empty()) std::cout << "No setting yet.\n";
}

}  // namespace

void add_setting(CLI::App& app) {
  auto a = std::make_shared<SettingArguments>();
  CLI::App* s = app.add_subcommand(
      "setting", "What the whole branch agrees on.\nExample: tillsync setting list --data /var/lib/shop/till-1");
  s->require_subcommand(1);
  CLI::App* change =
      s->add_subcommand("set",
                        "Change a setting, at the till that hosts: it needs an exclusive lease and the cloud.\n"
                        "Example: tillsync setting set opening-hours '\"8-20\"' --data /var/lib/shop/till-1");
  change->add_option("name", a->name, "Its name")->required();
  change->add_option("value", a->value, "Its value, JSON or plain text")->required();
  change->add_option("--data", a->data, "The host's data folder")->required();
  change->callback([a] { set(*a); });
  CLI::App* show = s->add_subcommand("list", "Show the settings as a till has them.");
  show->add_option("--data", a->data, "A till's data folder")->required();
  show->add_flag("--json", a->json, "One JSON document instead");
  show->callback([a] { list(*a); });
}

}  // namespace tillsync::cli
