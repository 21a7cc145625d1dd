// tillsync lease: for the manager who asks who hosts, and why.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <iomanip>
#include <iostream>
#include <thread>

#include "lease/messages.hpp"
#include "storage/base/pack.hpp"
#include "storage/disk/data_folder.hpp"
#include "tools/cli/options.hpp"

namespace tillsync::cli {

namespace {

struct LeaseArguments {
  std::string data, to, file, tenant, roster;
  std::shared_ptr<Whom> whom = std::make_shared<Whom>();
  bool json = false, watch = false;
};

constexpr std::size_t kShown = 5;  // changes of host, with the status

std::string in_seconds(std::int64_t ms) { return thousandths(ms / 100 * 100) + " s"; }

std::string time_of_day(std::int64_t ms) {
  const std::time_t at = ms / 1000;
  std::tm parts{};
  localtime_r(&at, &parts);
  char out[32];
  return std::strftime(out, sizeof out, "%Y-%m-%d %H:%M:%S", &parts) > 0 ? out : "";
}

void say_who_hosts(const api::LeaseAnswer& l) {
  if (l.kind == "none") {
    std::cout << "Nobody hosts branch " << l.branch
              << " at the moment. Every till goes on selling; what it sells waits there until there is a host.\n";
    return;
  }
  std::cout << l.host << " hosts branch " << l.branch << " since " << age(l.since_ms);
  if (l.kind == "exclusive") {
    std::cout << ": a majority of the tills has granted it the lease (term " << l.term.value
              << ").\nThe lease runs for " << in_seconds(l.remaining_ms) << " more, and is renewed before that.\n";
  } else if (l.frozen) {
    std::cout << ", provisionally, until the emergency is over.\nSelling and syncing go on as ever.\n";
  } else {
    std::cout << ", provisionally: tills with " << l.majority << " of the " << l.votes
              << " votes, a majority, can't be reached.\nSelling and syncing go on as ever. Only what needs the whole "
                 "branch's consent waits until more tills are back.\n";
  }
}

std::string seen(const api::LeaseTill& till, bool running) {
  if (till.self) return "this till";
  if (till.connected) return "connected";
  if (!running) return "not known";
  return till.heard_ms_ago ? age(*till.heard_ms_ago) + " ago" : "not since this till started";
}

void show_history(const std::vector<api::LeaseChange>& all, std::size_t most) {
  for (std::size_t i = all.size(); i > 0 && all.size() - i < most; --i) {
    const api::LeaseChange& change = all[i - 1];
    std::cout << "  " << time_of_day(change.at_ms) << "  " << std::left << std::setw(14)
              << (change.host.empty() ? "nobody" : change.host) << change.reason << '\n';
  }
  if (all.empty()) std::cout << "  none yet\n";
}

// A till that was seen to lie comes first after who hosts.
void show_trouble(const api::LeaseAnswer& l) {
  for (const api::LeaseEvidence& e : l.evidence)
    std::cout
        << "\nWARNING: " << e.till << " granted the lease to both " << e.granted.at(0) << " and " << e.granted.at(1)
        << " in term " << e.term.value
        << ". It was copied, restored from a backup, or lies:\ntake it out of the roster ('tillsync roster remove') "
           "and pair it anew.\n";
  if (l.frozen)
    std::cout << "\nAn emergency roster is in force: no lease is exclusive until it is confirmed ('tillsync roster "
                 "confirm').\n";
  for (const api::LeaseIgnored& i : l.ignored)
    std::cout << "\nIgnored " << i.count << " message" << (i.count == 1 ? "" : "s") << " of " << i.from << ": "
              << i.what << ".\n";
}

std::string unsent(const api::LeaseTill& till) {
  if (!till.unsent) return "not known";
  return *till.unsent == 0 ? "nothing" : std::to_string(*till.unsent) + (*till.unsent == 1 ? " op" : " ops");
}

void show(const api::LeaseAnswer& l) {
  if (l.roster_version == 0) return void(std::cout << "This till is not paired: it has no branch to host.\n");
  if (l.running) {
    say_who_hosts(l);
  } else {
    std::cout << "This till is not running, so it can't tell who hosts now: ask one that is. What it knew last:\n";
  }
  show_trouble(l);
  std::cout << "\n  " << std::left << std::setw(14) << "till" << std::setw(7) << "votes" << std::setw(14)
            << "still to send"
            << "  last seen\n";
  for (const api::LeaseTill& till : l.tills)
    std::cout << "  " << std::setw(14) << till.name << std::setw(7) << till.votes << std::setw(14) << unsent(till)
              << "  " << seen(till, l.running) << '\n';
  if (l.witness) std::cout << "  The cloud has a vote as well, as a witness.\n";
  std::cout << "\nThe last changes of host, newest first:\n";
  show_history(l.history, kShown);
}

void status(const LeaseArguments& a) {
  const bool terminal = ::isatty(STDOUT_FILENO) != 0;
  for (;;) {
    const api::LeaseAnswer l = client::ask(*a.whom, api::LeaseRequest{});
    if (a.watch && !a.json && terminal) std::cout << "\033[H\033[J";  // redrawn in place
    a.json ? void(std::cout << json_text(api::write(l), a.watch ? -1 : 2) << std::endl) : show(l);
    std::cout << std::flush;
    if (!a.watch || !l.running) return;
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

void history(const LeaseArguments& a) {
  const std::vector<api::LeaseChange> all = client::ask(*a.whom, api::LeaseRequest{}).history;
  a.json ? print_json(all) : show_history(all, all.size());
}

void export_proof(const LeaseArguments& a) {
  Folder folder(a.data);
  require(replace_file(a.file, require(folder.ask(api::CertificateRequest{})).certificate.bytes));
  std::cout << "wrote " << a.file << ": anyone can check it with 'tillsync lease verify " << a.file << "'\n";
}

void verify(const LeaseArguments& a) {
  const auto bytes = read_file(a.file);
  if (!bytes) throw Failure{"can't read " + a.file + ": check the path"};
  const auto proof = unpack<LeaseProof>(*bytes);
  const auto roster = proof ? Roster::decode(proof->roster.encoded()) : std::nullopt;
  if (!roster) throw Failure{a.file + " is no exported lease, or its roster is not signed: export it again"};
  const bool known = !a.roster.empty() || !a.tenant.empty();
  const std::string trusted = a.roster.empty() ? a.tenant : client::read_roster(a.roster).keys.id();
  if (known && trusted != roster->keys.id())
    throw Failure{a.file + " was signed for another tenant, " + roster->keys.id()};
  if (!proof->certificate.valid_for(*roster))
    throw Failure{a.file + " does not hold: its grants are forged, too few, or of another roster"};
  const Ballot& b = proof->certificate.ballot;
  std::cout << "valid: " << b.candidate.text << " held the exclusive lease of branch " << b.branch.text << " in term "
            << b.term.value << ", granted by";
  for (const auto& grant : proof->certificate.grants) std::cout << ' ' << grant.grantor.text;
  std::cout << " (" << roster->majority() << " of " << roster->total_votes() << " votes are needed; roster version "
            << roster->version << ")\n";
  if (!known)
    std::cout << "Its tenant, " << roster->tenant << ", is " << roster->keys.id()
              << ": compare it with yours, or name your roster with --roster\n";
}

void hand_over(const LeaseArguments& a) {
  Folder folder(a.data);
  if (folder.is_cloud()) throw Failure{"a cloud holds no lease: name a till's data folder"};
  const api::LeaseAnswer l = require(folder.ask(api::LeaseRequest{}));
  const std::string& host = l.host;
  const auto is_host = [&](const api::LeaseTill& till) { return till.self && till.name == host; };
  const auto in_reach = [&](const api::LeaseTill& till) { return till.name == a.to && till.connected; };
  if (std::ranges::none_of(l.tills, is_host))
    throw Failure{"only the host can hand over, and that is " + (host.empty() ? "nobody" : host) + ": ask there"};
  if (a.to == host) throw Failure{a.to + " hosts already"};
  if (std::ranges::none_of(l.tills, in_reach))
    throw Failure{"no till of the name " + a.to + " can be reached: 'tillsync lease status' lists them"};
  require(folder.ask(api::StepDownRequest{a.to}));
  std::cout << "Handed over: " << a.to << " is asked to host.\n";
}

}  // namespace

void add_lease(CLI::App& app) {
  auto a = std::make_shared<LeaseArguments>();
  CLI::App* l = app.add_subcommand(
      "lease", "Which till hosts the branch, and why.\nExample: tillsync lease status --data /var/lib/shop/till-1");
  l->require_subcommand(1);
  auto add = [&](const char* name, const char* what) { return l->add_subcommand(name, what); };
  CLI::App* s = add("status",
                    "Who hosts, since when, for how long, who is seen, and what each till still has to send.\n"
                    "Examples: tillsync lease status --watch --data /var/lib/shop/till-1\n"
                    "          tillsync lease status --at till-1@192.168.1.11:7700 --key manager.key --roster "
                    "main-street.roster");
  add_whom(s, a->whom);
  s->add_flag("--json", a->json, "One JSON document instead");
  s->add_flag("--watch", a->watch, "Once a second, until stopped");
  s->callback([a] { status(*a); });
  CLI::App* h = add("history",
                    "The last changes of host that this till saw, newest first.\n"
                    "Example: tillsync lease history --data /var/lib/shop/till-1");
  add_whom(h, a->whom);
  h->add_flag("--json", a->json, "One JSON document instead");
  h->callback([a] { history(*a); });
  CLI::App* e = add("export",
                    "Write the lease that holds now to a file, with its grants and the roster.\n"
                    "Example: tillsync lease export --out today.lease --data /var/lib/shop/till-1");
  e->add_option("--data", a->data, "A till's data folder")->required();
  e->add_option("--out", a->file, "The file to write")->required();
  e->callback([a] { export_proof(*a); });
  CLI::App* v = add("verify",
                    "Check an exported lease, offline: that a majority signed it.\n"
                    "Example: tillsync lease verify today.lease --roster main-street.roster");
  v->add_option("file", a->file, "The file that 'lease export' wrote")->required();
  v->add_option("--roster", a->roster, "A roster of the tenant that you trust");
  v->add_option("--tenant", a->tenant, "Or its name, the 64 hexadecimal digits that 'roster show' gives");
  v->callback([a] { verify(*a); });
  CLI::App* o = add("handover",
                    "The host hands the lease to another till; selling goes on.\n"
                    "Example: tillsync lease handover --to till-2 --data /var/lib/shop/till-1");
  o->add_option("--data", a->data, "The host's data folder")->required();
  o->add_option("--to", a->to, "The till that is to host")->required();
  o->callback([a] { hand_over(*a); });
}

}  // namespace tillsync::cli
