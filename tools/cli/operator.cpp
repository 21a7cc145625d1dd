// tillsync operator, webhook: what a cloud's operator sets up for headquarters, support and monitoring.
#include <iomanip>
#include <iostream>

#include "tools/cli/cli.hpp"
#include "transport/base/clock.hpp"

namespace tillsync::cli {

namespace {

struct OperatorArguments {
  std::string data, tenant, name, role, id, url, key;
  std::int64_t days = 0;
  bool json = false, from_start = false, new_secret = false;
};

Json ask_cloud(const std::string& data, const Json& question) {
  Folder folder(data);
  if (!folder.is_cloud()) throw Failure{"keys and webhooks are a cloud's: name the cloud's data folder"};
  return folder.ask(question);
}

void add(const OperatorArguments& a) {
  const Json made = ask_cloud(
      a.data, {{"do", "operator_add"}, {"tenant", a.tenant}, {"name", a.name}, {"role", a.role}, {"days", a.days}});
  if (a.json) return void(std::cout << json_text(made, 2) << '\n');
  std::cout << made["key"].get<std::string>() << '\n';
  std::cerr << "This key is shown once: keep it where " << a.name << " finds it and others do not.\n";
}

void list(const OperatorArguments& a) {
  const Json all = ask_cloud(a.data, {{"do", "operators"}});
  if (a.json) return void(std::cout << json_text(all, 2) << '\n');
  const std::int64_t now_ms = read_clock().wall_ms;
  for (const Json& each : all) {
    const std::int64_t expires = each["expires_ms"];
    std::cout << each["id"].get<std::string>() << "  " << std::left << std::setw(14) << each["role"].get<std::string>()
              << std::setw(20) << each["name"].get<std::string>() << "made "
              << age(now_ms - each["made_ms"].get<std::int64_t>()) << " ago"
              << (expires == 0       ? ""
                  : expires < now_ms ? ", EXPIRED"
                                     : ", for " + age(expires - now_ms) + " more")
              << '\n';
  }
  if (all.empty()) std::cout << "No key yet: 'tillsync operator add' makes one.\n";
}

void remove(const OperatorArguments& a) {
  ask_cloud(a.data, {{"do", "operator_remove"}, {"key_id", a.id}});
  std::cout << "the key " << a.id << " counts no more\n";
}

void set_hook(const OperatorArguments& a) {
  const Json set = ask_cloud(a.data, {{"do", "webhook_set"},
                                      {"tenant", a.tenant},
                                      {"url", a.url},
                                      {"from_start", a.from_start},
                                      {"new_secret", a.new_secret}});
  if (a.json) return void(std::cout << json_text(set, 2) << '\n');
  std::cout << "secret " << set["secret"].get<std::string>() << '\n';
  std::cerr << "Accepted ops are delivered to " << a.url << "; docs/webhooks.md says how to check the signature.\n";
}

void show_hook(const OperatorArguments& a) {
  const Json hook = ask_cloud(a.data, {{"do", "webhook_show"}, {"tenant", a.tenant}});
  if (a.json) return void(std::cout << json_text(hook, 2) << '\n');
  if (hook["url"].is_null()) return void(std::cout << "No webhook: 'tillsync webhook set' names one.\n");
  std::cout << hook["url"].get<std::string>() << '\n';
  for (const Json& b : hook["branches"]) {
    std::cout << "  " << std::left << std::setw(20) << b["branch"].get<std::string>() << b["delivered"]
              << " delivered, " << b["backlog"] << " waiting";
    if (b["set_aside"] != 0) std::cout << ", " << b["set_aside"] << " deliveries set aside";
    if (b["attempts"] != 0)
      std::cout << "; tried " << b["attempts"] << " times in vain: " << b["why"].get<std::string>();
    std::cout << '\n';
  }
}

void show_aside(const OperatorArguments& a) {
  const Json all = ask_cloud(a.data, {{"do", "webhook_aside"}, {"tenant", a.tenant}});
  if (a.json) return void(std::cout << json_text(all, 2) << '\n');
  for (const Json& each : all) {
    std::cout << each["key"].get<std::string>() << "\n  "
              << age(read_clock().wall_ms - each["at_ms"].get<std::int64_t>())
              << " ago: " << each["why"].get<std::string>() << '\n';
    for (const Json& r : each["ops"])
      std::cout << "  " << r["till"].get<std::string>() << " ops " << r["first"] << " to " << r["last"] << '\n';
  }
  if (all.empty()) std::cout << "Nothing is set aside.\n";
}

void replay(const OperatorArguments& a) {
  const Json done = ask_cloud(a.data, {{"do", "webhook_replay"}, {"tenant", a.tenant}, {"key", a.key}});
  std::cout << done["replayed"] << " deliveries are on their way again\n";
}

void remove_hook(const OperatorArguments& a) {
  ask_cloud(a.data, {{"do", "webhook_remove"}, {"tenant", a.tenant}});
  std::cout << "nothing is delivered any more, and what was waiting is forgotten; the ops themselves stay\n";
}

// What the subcommands of both have in common, and what of it one has.
struct Shape {
  bool of_tenant = true, json = false;
};

CLI::App* add_command(CLI::App* to, const std::shared_ptr<OperatorArguments>& a, const char* name, const char* help,
                      void (*run)(const OperatorArguments&), Shape shape) {
  CLI::App* command = to->add_subcommand(name, help);
  command->add_option("--data", a->data, "The cloud's data folder")->required();
  if (shape.of_tenant) command->add_option("--tenant", a->tenant, "The tenant's name, where the cloud serves several");
  if (shape.json) command->add_flag("--json", a->json, "One JSON document instead");
  command->callback([a, run] { run(*a); });
  return command;
}

}  // namespace

void add_operator(CLI::App& app) {
  auto a = std::make_shared<OperatorArguments>();
  CLI::App* keys = app.add_subcommand("operator", "Keys of people and programs that are no tills, for a cloud's HTTP.");
  keys->require_subcommand(1);
  CLI::App* make =
      add_command(keys, a, "add",
                  "Make a key, and show it once.\nExample: tillsync operator add --data /var/lib/tillsync-cloud "
                  "--role headquarters --name erp --days 365",
                  add, {.json = true});
  make->add_option("--role", a->role, "support, manager, headquarters or metrics")->required();
  make->add_option("--name", a->name, "Who, or what, uses it")->required();
  make->add_option("--days", a->days, "It counts for so long (for ever)");
  add_command(keys, a, "list", "Show the keys, without their secrets.", list, {false, true});
  add_command(
      keys, a, "remove",
      "A key counts no more.\nExample: tillsync operator remove 0123456789abcdef --data /var/lib/tillsync-cloud",
      remove, {.of_tenant = false})
      ->add_option("id", a->id, "Its id, as 'list' shows it")
      ->required();

  CLI::App* hooks = app.add_subcommand("webhook", "Delivery of accepted ops to headquarters (docs/webhooks.md).");
  hooks->require_subcommand(1);
  CLI::App* set =
      add_command(hooks, a, "set",
                  "Deliver a tenant's accepted ops to this address from now on; shows the secret of the signature.\n"
                  "Example: tillsync webhook set https://erp.example.org/tillsync --data /var/lib/tillsync-cloud",
                  set_hook, {.json = true});
  set->add_option("url", a->url, "https://HOST/PATH")->required();
  set->add_flag("--from-start", a->from_start, "Also what the branches have already");
  set->add_flag("--new-secret", a->new_secret, "Sign with a new secret");
  add_command(hooks, a, "show", "Where it stands, branch by branch.", show_hook, {.json = true});
  add_command(hooks, a, "aside", "Deliveries that the webhook refused for good.", show_aside, {.json = true});
  add_command(hooks, a, "replay", "Deliver again what was set aside, all of it or one.", replay, {})
      ->add_option("--key", a->key, "The delivery's key, as 'aside' shows it");
  add_command(hooks, a, "remove", "Deliver nothing any more, and forget what was waiting.", remove_hook, {});
}

}  // namespace tillsync::cli
