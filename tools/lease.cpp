// tillsync lease: for the manager who asks who hosts, and why.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <iomanip>
#include <iostream>
#include <thread>

#include "tools/cli.hpp"

namespace tillsync::cli {

namespace {

struct Arguments {
  std::string data, to;
  bool json = false, watch = false;
};

constexpr std::size_t kShown = 5;  // changes of host, with the status

std::string text(const Json& json) { return json.get<std::string>(); }

std::string in_seconds(std::int64_t ms) { return thousandths(ms / 100 * 100) + " s"; }

std::string time_of_day(std::int64_t ms) {
  const std::time_t at = ms / 1000;
  std::tm parts{};
  localtime_r(&at, &parts);
  char out[32];
  return std::strftime(out, sizeof out, "%Y-%m-%d %H:%M:%S", &parts) > 0 ? out : "";
}

void say_who_hosts(const Json& l) {
  const std::string branch = text(l["branch"]), host = text(l["host"]), kind = text(l["kind"]);
  if (kind == "none") {
    std::cout << "Nobody hosts branch " << branch
              << " at the moment. Every till goes on selling; what it sells waits there until there is a host.\n";
    return;
  }
  std::cout << host << " hosts branch " << branch << " since " << age(l["since_ms"]);
  if (kind == "exclusive") {
    std::cout << ": a majority of the tills has granted it the lease (term " << l["term"] << ").\nThe lease runs for "
              << in_seconds(l["remaining_ms"]) << " more, and is renewed before that.\n";
  } else {
    std::cout << ", provisionally: tills with " << l["majority"] << " of the " << l["votes"]
              << " votes, a majority, can't be reached.\nSelling and syncing go on as ever. Only what needs the whole "
                 "branch's consent waits until more tills are back.\n";
  }
}

std::string seen(const Json& till) {
  if (till["self"].get<bool>()) return "this till";
  if (till["connected"].get<bool>()) return "connected";
  return till["heard_ms_ago"].is_null() ? "not since this till started" : age(till["heard_ms_ago"]) + " ago";
}

void show_history(const Json& l, std::size_t most) {
  const Json& all = l["history"];
  for (std::size_t i = all.size(); i > 0 && all.size() - i < most; --i) {
    const Json& change = all[i - 1];
    const std::string host = text(change["host"]);
    std::cout << "  " << time_of_day(change["at_ms"]) << "  " << std::left << std::setw(14)
              << (host.empty() ? "nobody" : host) << text(change["reason"]) << '\n';
  }
  if (all.empty()) std::cout << "  none yet\n";
}

void show(const Json& l, bool running) {
  if (l["roster_version"] == 0) return void(std::cout << "This till is not paired: it has no branch to host.\n");
  if (running) {
    say_who_hosts(l);
  } else {
    std::cout << "This till is not running, so it can't tell who hosts now: ask one that is. What it knew last:\n";
  }
  const std::uint64_t unsent = l["unsent"];
  std::cout << (unsent == 0 ? "Everything that this till sold is in the cloud.\n"
                            : std::to_string(unsent) +
                                  " ops of this till are not in the cloud yet; they go on by themselves.\n");
  std::cout << "\n  " << std::left << std::setw(14) << "till" << std::setw(8) << "votes"
            << "last seen\n";
  for (const Json& till : l["tills"])
    std::cout << "  " << std::setw(14) << text(till["name"]) << std::setw(8) << till["votes"].dump() << seen(till)
              << '\n';
  std::cout << "\nThe last changes of host, newest first:\n";
  show_history(l, kShown);
}

Json ask(Folder& folder) {
  if (folder.is_cloud()) throw Failure{"a cloud holds no lease: name a till's data folder"};
  return folder.ask({{"do", "lease"}});
}

void status(const Arguments& a) {
  Folder folder(a.data);
  const bool terminal = ::isatty(STDOUT_FILENO) != 0;
  for (;;) {
    const Json l = ask(folder);
    if (a.watch && !a.json && terminal) std::cout << "\033[H\033[J";  // redrawn in place
    a.json ? void(std::cout << l.dump(a.watch ? -1 : 2) << std::endl) : show(l, folder.running());
    std::cout << std::flush;
    if (!a.watch || !folder.running()) return;
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

void history(const Arguments& a) {
  Folder folder(a.data);
  const Json l = ask(folder);
  a.json ? void(std::cout << l["history"].dump(2) << '\n') : show_history(l, l["history"].size());
}

void hand_over(const Arguments& a) {
  Folder folder(a.data);
  const Json l = ask(folder);
  const std::string host = text(l["host"]);
  const Json& tills = l["tills"];
  const auto is_host = [&](const Json& till) { return till["self"].get<bool>() && text(till["name"]) == host; };
  const auto in_reach = [&](const Json& till) { return text(till["name"]) == a.to && till["connected"].get<bool>(); };
  if (std::none_of(tills.begin(), tills.end(), is_host))
    throw Failure{"only the host can hand over, and that is " + (host.empty() ? "nobody" : host) + ": ask there"};
  if (a.to == host) throw Failure{a.to + " hosts already"};
  if (std::none_of(tills.begin(), tills.end(), in_reach))
    throw Failure{"no till of the name " + a.to + " can be reached: 'tillsync lease status' lists them"};
  folder.ask({{"do", "step_down"}, {"to", a.to}});
  std::cout << "Handed over: " << a.to << " is asked to host.\n";
}

}  // namespace

void add_lease(CLI::App& app) {
  auto a = std::make_shared<Arguments>();
  CLI::App* l = app.add_subcommand(
      "lease", "Which till hosts the branch, and why.\nExample: tillsync lease status --data /var/lib/shop/till-1");
  l->require_subcommand(1);
  auto add = [&](const char* name, const char* what) {
    CLI::App* command = l->add_subcommand(name, what);
    command->add_option("--data", a->data, "A till's data folder")->required();
    return command;
  };
  CLI::App* s = add("status",
                    "Who hosts, since when, for how long, and who is seen.\n"
                    "Example: tillsync lease status --watch --data /var/lib/shop/till-1");
  s->add_flag("--json", a->json, "One JSON document instead");
  s->add_flag("--watch", a->watch, "Once a second, until stopped");
  s->callback([a] { status(*a); });
  CLI::App* h = add("history",
                    "The last changes of host that this till saw, newest first.\n"
                    "Example: tillsync lease history --data /var/lib/shop/till-1");
  h->add_flag("--json", a->json, "One JSON document instead");
  h->callback([a] { history(*a); });
  CLI::App* o = add("handover",
                    "The host hands the lease to another till; selling goes on.\n"
                    "Example: tillsync lease handover --to till-2 --data /var/lib/shop/till-1");
  o->add_option("--to", a->to, "The till that is to host")->required();
  o->callback([a] { hand_over(*a); });
}

}  // namespace tillsync::cli
