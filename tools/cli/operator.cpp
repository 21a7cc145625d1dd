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

template <class R>
api::AnswerTo<R> ask_cloud(const std::string& data, const R& request) {
  Folder folder(data);
  if (!folder.is_cloud()) throw Failure{"keys and webhooks are a cloud's: name the cloud's data folder"};
  return require(folder.ask(request));
}

void add(const OperatorArguments& a) {
  const api::KeyMade made = ask_cloud(a.data, api::OperatorAddRequest{{a.tenant}, a.name, a.role, a.days});
  if (a.json) return print_json(made);
  std::cout << made.key << '\n';
  std::cerr << "This key is shown once: keep it where " << a.name << " finds it and others do not.\n";
}

void list(const OperatorArguments& a) {
  const auto all = ask_cloud(a.data, api::OperatorsRequest{});
  if (a.json) return print_json(all);
  const std::int64_t now_ms = read_clock().wall_ms;
  for (const api::OperatorView& each : all) {
    std::cout << each.id << "  " << std::left << std::setw(14) << each.role << std::setw(20) << each.name << "made "
              << age(now_ms - each.made_ms) << " ago"
              << (each.expires_ms == 0       ? ""
                  : each.expires_ms < now_ms ? ", EXPIRED"
                                             : ", for " + age(each.expires_ms - now_ms) + " more")
              << '\n';
  }
  if (all.empty()) std::cout << "No key yet: 'tillsync operator add' makes one.\n";
}

void remove(const OperatorArguments& a) {
  ask_cloud(a.data, api::OperatorRemoveRequest{a.id});
  std::cout << "the key " << a.id << " counts no more\n";
}

void set_hook(const OperatorArguments& a) {
  const auto set = ask_cloud(a.data, api::WebhookSetRequest{{a.tenant}, a.url, a.from_start, a.new_secret});
  if (a.json) return print_json(set);
  std::cout << "secret " << set.secret << '\n';
  std::cerr << "Accepted ops are delivered to " << a.url << "; docs/webhooks.md says how to check the signature.\n";
}

void show_hook(const OperatorArguments& a) {
  const api::WebhookView hook = ask_cloud(a.data, api::WebhookShowRequest{{a.tenant}});
  if (a.json) return print_json(hook);
  if (!hook.url) return void(std::cout << "No webhook: 'tillsync webhook set' names one.\n");
  std::cout << *hook.url << '\n';
  for (const api::WebhookBranch& b : hook.branches.value_or(std::vector<api::WebhookBranch>{})) {
    std::cout << "  " << std::left << std::setw(20) << b.branch << b.delivered << " delivered, " << b.backlog
              << " waiting";
    if (b.set_aside != 0) std::cout << ", " << b.set_aside << " deliveries set aside";
    if (b.attempts != 0) std::cout << "; tried " << b.attempts << " times in vain: " << b.why;
    std::cout << '\n';
  }
}

void show_aside(const OperatorArguments& a) {
  const auto all = ask_cloud(a.data, api::WebhookAsideRequest{{a.tenant}});
  if (a.json) return print_json(all);
  for (const api::AsideView& each : all) {
    std::cout << each.key << "\n  " << age(read_clock().wall_ms - each.at_ms) << " ago: " << each.why << '\n';
    for (const api::OpRangeView& r : each.ops)
      std::cout << "  " << r.till << " ops " << r.first.value << " to " << r.last.value << '\n';
  }
  if (all.empty()) std::cout << "Nothing is set aside.\n";
}

void replay(const OperatorArguments& a) {
  std::cout << ask_cloud(a.data, api::WebhookReplayRequest{{a.tenant}, a.key}).replayed
            << " deliveries are on their way again\n";
}

void remove_hook(const OperatorArguments& a) {
  ask_cloud(a.data, api::WebhookRemoveRequest{{a.tenant}});
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
