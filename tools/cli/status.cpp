// tillsync status, queue: what a shop and its support look at.
#include <iomanip>
#include <iostream>

#include "tools/cli/cli.hpp"
#include "transport/api/views.hpp"

namespace tillsync::cli {

namespace {

struct StatusArguments {
  std::string data, branch;
  bool json = false, fleet = false;
  std::size_t limit = 20;
};

void line(const char* what, const std::string& value) {
  std::cout << "  " << std::left << std::setw(14) << what << value << '\n';
}

std::string host_of(const api::StatusAnswer& s) {
  if (s.roster_version == 0) return "not paired yet";
  if (!s.running) return "not known: this till does not run";
  if (s.host.empty()) return "none at the moment";
  return s.host + (s.is_host ? " (this till)" : "") +
         (s.lease == "provisional" ? ", provisional: no majority of tills is in reach" : "");
}

void show_till(const api::StatusAnswer& s) {
  std::cout << s.till << " of branch " << s.branch << (s.running ? "" : " (not running; this is its data folder)")
            << "\n\n";
  line("sales", s.accepting ? "accepted" : "REFUSED: the data disk failed; check it, then restart");
  line("recorded", std::to_string(s.recorded));
  line("unsent", s.unsent == 0 ? "0: all has reached the cloud"
                               : std::to_string(s.unsent) + ", the oldest since " + age(s.oldest_unsent_ms) +
                                     " (safe here; goes on by itself)");
  line("on one disk", std::to_string(s.one_disk_only));
  if (s.relaying != 0) line("relaying", std::to_string(s.relaying) + " ops of other tills wait here for the cloud");
  line("host", host_of(s));
  std::string peers;
  for (const PeerStatus& p : s.peers) peers += (peers.empty() ? "" : ", ") + p.name;
  line("connected to", peers.empty() ? "nobody" : peers);
  line("rows", std::to_string(s.rows));
  if (s.clock_offset_ms != 0)
    line("clock", "off by " + age(std::abs(s.clock_offset_ms)) + ", corrected by the cloud's time");
  if (!s.database_ok)
    line("database", "DAMAGED or full: sales go on in the journal; run 'tillsync recover' after closing time");
  if (s.forks != 0) line("forks", std::to_string(s.forks) + (s.fork_open ? ", being settled" : ", settled"));
}

void show_cloud(Folder& folder, const api::CloudStatus& s) {
  std::cout << "cloud, key " << s.key << "\n\n";
  for (const api::ShopView& shop : s.shops) {
    std::uint64_t ops = 0;
    const auto chains = require(folder.ask(api::ChainsRequest{{shop.branch, shop.tenant_id}}));
    for (const api::ChainView& chain : chains) ops += chain.seq.value;
    std::cout << "  " << shop.branch << " of " << shop.tenant << ": " << ops << " ops in " << chains.size()
              << " histories, roster version " << shop.roster_version;
    if (shop.host) std::cout << ", hosted by " << shop.host->till << " (term " << shop.host->term.value << ')';
    std::cout << '\n';
  }
  if (s.shops.empty()) std::cout << "  no branches yet: add one with 'tillsync roster import'\n";
}

void show_fleet(const std::vector<api::FleetBranch>& fleet) {
  if (fleet.empty()) return void(std::cout << "No branch has said anything yet.\n");
  std::size_t well = 0;
  std::cout << std::left << std::setw(22) << "branch" << std::setw(12) << "host" << std::setw(10) << "silent"
            << std::setw(10) << "behind" << std::setw(11) << "conflicts" << std::setw(9) << "webhook"
            << "what is the matter\n";
  const auto since = [](std::int64_t ms) { return ms == 0 ? "-" : age(ms); };
  for (const api::FleetBranch& b : fleet) {
    well += b.ok ? 1 : 0;
    std::cout << std::setw(22) << (b.branch.empty() ? "(shared rows)" : b.branch) << std::setw(12)
              << b.host.value_or("-") << std::setw(10) << since(b.silent_ms) << std::setw(10) << since(b.behind_ms)
              << std::setw(11) << b.conflicts << std::setw(9)
              << (b.webhook ? std::to_string(b.webhook->backlog) : std::string("-")) << b.matter << '\n';
  }
  std::cout << '\n' << well << " of " << fleet.size() << " are well\n";
}

void fleet(Folder& folder, bool json) {
  if (!folder.is_cloud()) throw Failure{"a fleet is what a cloud sees: name the cloud's data folder"};
  const auto all = require(folder.ask(api::FleetRequest{}));
  json ? print_json(all) : show_fleet(all);
}

void status(const StatusArguments& a) {
  Folder folder(a.data);
  if (a.fleet) return fleet(folder, a.json);
  if (folder.is_cloud()) {
    const auto s = require(folder.ask(api::CloudStatusRequest{}));
    return a.json ? print_json(s) : show_cloud(folder, s);
  }
  const auto s = require(folder.ask(api::StatusRequest{}));
  a.json ? print_json(s) : show_till(s);
}

void queue(const StatusArguments& a) {
  Folder folder(a.data);
  if (folder.is_cloud()) throw Failure{"a cloud has no queue: name a till's data folder"};
  const api::QueuePage page = require(folder.ask(api::QueueRequest{a.limit}));
  if (a.json) return print_json(page);
  if (page.ops.empty()) return void(std::cout << "The queue is empty: all has reached the cloud.\n");
  std::cout << page.unsent << " not in the cloud yet; they are safe here and go on by themselves.\n\n"
            << std::left << std::setw(8) << "seq" << std::setw(12) << "kind" << std::setw(11) << "where"
            << "key\n";
  for (const api::OpView& op : page.ops) {
    std::cout << std::setw(8) << op.seq.value << std::setw(12) << op.kind << std::setw(11)
              << api::name_of(op.level.value_or(Level::own_disk)) << op.key << '\n';
  }
}

}  // namespace

void add_status(CLI::App& app) {
  auto a = std::make_shared<StatusArguments>();
  auto with_data = [&](CLI::App* command) {
    command->add_option("--data", a->data, "The data folder")->required();
    command->add_flag("--json", a->json, "One JSON document instead");
    return command;
  };
  CLI::App* s = with_data(app.add_subcommand(
      "status", "What a till or a cloud knows about itself.\nExample: tillsync status --data /var/lib/shop/till-1"));
  s->add_flag("--fleet", a->fleet, "Of a cloud: its branches, worst first");
  s->callback([a] { status(*a); });
  CLI::App* q = with_data(app.add_subcommand(
      "queue", "What has not reached the cloud yet.\nExample: tillsync queue --data /var/lib/shop/till-1"));
  q->add_option("--limit", a->limit, "At most so many")->capture_default_str();
  q->callback([a] { queue(*a); });
}

}  // namespace tillsync::cli
