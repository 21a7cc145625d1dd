// tillsync roster show, import: looking at a roster, and handing it out.
#include <iomanip>
#include <iostream>

#include "tools/cli/cli.hpp"
#include "tools/client/spread.hpp"
#include "transport/api/views.hpp"

namespace tillsync::cli {

namespace {

struct RosterShowArguments {
  std::string roster, data;
  bool json = false;
};

api::RosterView roster_of(const RosterShowArguments& a) {
  if (a.data.empty()) return api::view_of(client::read_roster(a.roster));
  Folder folder(a.data);
  if (folder.is_cloud()) throw Failure{"a cloud follows the rosters of many: 'tillsync status' lists them"};
  auto held = require(folder.ask(api::RosterRequest{}));
  if (!held) throw Failure{"this till is not paired: it has no roster yet"};
  return std::move(*held);
}

void show(const RosterShowArguments& a) {
  const api::RosterView r = roster_of(a);
  if (a.json) return print_json(r);
  if (r.frozen) std::cout << "EMERGENCY roster: no lease is exclusive until it is confirmed\n";
  std::cout << "branch " << r.branch << " of " << r.tenant << ", version " << r.version << ", lease " << r.lease_ms
            << " ms\n";
  if (r.cloud_pairs) std::cout << "the cloud may let tills join, without a vote\n";
  std::cout << "tenant " << r.tenant_id << "\n\n";
  for (const api::MemberView& m : r.members) {
    std::cout << "  " << std::left << std::setw(20) << m.name << std::setw(10) << m.role << m.votes
              << (m.votes == 1 ? " vote   " : " votes  ") << m.key.substr(0, 16) << "..."
              << (m.joined ? "  (by the cloud)" : "") << '\n';
  }
}

void import_roster(const RosterShowArguments& a) {
  const Roster roster = client::read_roster(a.roster);
  Folder folder(a.data);
  const auto done = require(folder.ask(api::TakeRosterRequest{{roster.encoded()}}));
  const std::string version = std::to_string(done.version);
  if (done.version > roster.version)
    throw Failure{"it has version " + version + " already: " + a.roster + " is older; fetch the newer file"};
  if (!done.same)
    throw Failure{"it keeps its version " + version + ": the keys of " + a.roster +
                  " do not follow those that it trusts; is it of this tenant, and signed with the newest key?"};
  client::mark_handed_out(a.roster, roster);
  std::cout << "roster version " << version << " is in force there\n";
}

}  // namespace

void add_roster_show(CLI::App* roster) {
  auto a = std::make_shared<RosterShowArguments>();
  CLI::App* s = roster->add_subcommand("show", "Show a roster file, or the roster that a till follows.");
  s->add_option("roster", a->roster, "The roster file");
  s->add_option("--data", a->data, "Or a till's data folder");
  s->add_flag("--json", a->json, "One JSON document instead");
  s->callback([a] {
    if (a->roster.empty() && a->data.empty())
      throw Failure{"which roster? Name a file, or a till's folder with --data"};
    show(*a);
  });
  CLI::App* i =
      roster->add_subcommand("import",
                             "Hand a roster to a till or a cloud; the branch's others get it from there.\n"
                             "Example: tillsync roster import shop/main-street.roster --data /var/lib/shop/till-1");
  i->add_option("roster", a->roster, "The roster file")->required();
  i->add_option("--data", a->data, "The data folder")->required();
  i->callback([a] { import_roster(*a); });
}

}  // namespace tillsync::cli
