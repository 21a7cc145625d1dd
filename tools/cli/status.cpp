// tillsync status, queue: what a shop and its support look at.
#include <iomanip>
#include <iostream>

#include "tools/cli/cli.hpp"

namespace tillsync::cli {

namespace {

struct StatusArguments {
  std::string data, branch;
  bool json = false, fleet = false;
  std::size_t limit = 20;
};

void show_till(const Json& s, bool running) {
  const std::uint64_t unsent = s["unsent"];
  std::cout << s["till"].get<std::string>() << " of branch " << s["branch"].get<std::string>()
            << (running ? "" : " (not running; this is its data folder)") << "\n\n";
  auto line = [](const char* what, const std::string& value) {
    std::cout << "  " << std::left << std::setw(14) << what << value << '\n';
  };
  line("sales", s["accepting"] ? "accepted" : "REFUSED: the data disk failed; check it, then restart");
  line("recorded", std::to_string(s["recorded"].get<std::uint64_t>()));
  line("unsent", unsent == 0 ? "0: all has reached the cloud"
                             : std::to_string(unsent) + ", the oldest since " + age(s["oldest_unsent_ms"]) +
                                   " (safe here; goes on by itself)");
  line("on one disk", std::to_string(s["one_disk_only"].get<std::uint64_t>()));
  if (s["relaying"] != 0)
    line("relaying",
         std::to_string(s["relaying"].get<std::uint64_t>()) + " ops of other tills wait here for the cloud");
  const std::string host = s["host"];
  line("host", s["roster_version"] == 0 ? "not paired yet"
               : host.empty()
                   ? "none at the moment"
                   : host + (s["is_host"] ? " (this till)" : "") +
                         (s["lease"] == "provisional" ? ", provisional: no majority of tills is in reach" : ""));
  std::string peers;
  for (const Json& p : s["peers"]) peers += (peers.empty() ? "" : ", ") + p["name"].get<std::string>();
  line("connected to", peers.empty() ? "nobody" : peers);
  line("rows", std::to_string(s["rows"].get<std::uint64_t>()));
  if (s["clock_offset_ms"] != 0)
    line("clock",
         "off by " + age(std::abs(s["clock_offset_ms"].get<std::int64_t>())) + ", corrected by the cloud's time");
  if (!s["database_ok"])
    line("database", "DAMAGED or full: sales go on in the journal; run 'tillsync recover' after closing time");
  if (s["forks"] != 0)
    line("forks", std::to_string(s["forks"].get<std::uint64_t>()) + (s["fork_open"] ? ", being settled" : ", settled"));
}

void show_cloud(Folder& folder, const Json& s) {
  std::cout << "cloud, key " << s["key"].get<std::string>() << "\n\n";
  for (const Json& shop : s["shops"]) {
    std::uint64_t ops = 0;
    const Json chains = folder.ask({{"do", "chains"}, {"branch", shop["branch"]}, {"tenant", shop["tenant_id"]}});
    for (const Json& chain : chains) ops += chain["seq"].get<std::uint64_t>();
    std::cout << "  " << shop["branch"].get<std::string>() << " of " << shop["tenant"].get<std::string>() << ": " << ops
              << " ops in " << chains.size() << " histories, roster version " << shop["roster_version"];
    if (shop.contains("host"))
      std::cout << ", hosted by " << shop["host"]["till"].get<std::string>() << " (term " << shop["host"]["term"]
                << ')';
    std::cout << '\n';
  }
  if (s["shops"].empty()) std::cout << "  no branches yet: add one with 'tillsync roster import'\n";
}

void show_fleet(const Json& fleet) {
  if (fleet.empty()) return void(std::cout << "No branch has said anything yet.\n");
  std::size_t well = 0;
  std::cout << std::left << std::setw(22) << "branch" << std::setw(12) << "host" << std::setw(10) << "silent"
            << std::setw(10) << "behind" << std::setw(11) << "conflicts" << std::setw(9) << "webhook"
            << "what is the matter\n";
  for (const Json& b : fleet) {
    const std::string name = b["branch"].get<std::string>().empty() ? "(shared rows)" : b["branch"].get<std::string>();
    well += b["ok"].get<bool>() ? 1 : 0;
    const auto since = [&](const char* what) { return b[what] == 0 ? "-" : age(b[what]); };
    std::cout << std::setw(22) << name << std::setw(12) << b.value("host", "-") << std::setw(10) << since("silent_ms")
              << std::setw(10) << since("behind_ms") << std::setw(11) << b["conflicts"].get<std::int64_t>()
              << std::setw(9)
              << (b.contains("webhook") ? std::to_string(b["webhook"]["backlog"].get<std::uint64_t>()) : "-")
              << b["matter"].get<std::string>() << '\n';
  }
  std::cout << '\n' << well << " of " << fleet.size() << " are well\n";
}

void status(const StatusArguments& a) {
  Folder folder(a.data);
  if (a.fleet) {
    if (!folder.is_cloud()) throw Failure{"a fleet is what a cloud sees: name the cloud's data folder"};
    const Json fleet = folder.ask({{"do", "fleet"}});
    return a.json ? void(std::cout << json_text(fleet, 2) << '\n') : show_fleet(fleet);
  }
  const Json s = folder.ask({{"do", "status"}});
  if (a.json) {
    std::cout << json_text(s, 2) << '\n';
  } else if (folder.is_cloud()) {
    show_cloud(folder, s);
  } else {
    show_till(s, folder.running());
  }
}

void queue(const StatusArguments& a) {
  Folder folder(a.data);
  if (folder.is_cloud()) throw Failure{"a cloud has no queue: name a till's data folder"};
  const Json page = folder.ask({{"do", "queue"}, {"limit", a.limit}});
  if (a.json) return void(std::cout << json_text(page, 2) << '\n');
  if (page["ops"].empty()) return void(std::cout << "The queue is empty: all has reached the cloud.\n");
  std::cout << page["unsent"] << " not in the cloud yet; they are safe here and go on by themselves.\n\n"
            << std::left << std::setw(8) << "seq" << std::setw(12) << "kind" << std::setw(11) << "where"
            << "key\n";
  for (const Json& op : page["ops"]) {
    std::cout << std::setw(8) << op["seq"] << std::setw(12) << op["kind"].get<std::string>() << std::setw(11)
              << op.value("level", "own_disk") << op["key"].get<std::string>() << '\n';
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
