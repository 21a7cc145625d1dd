// tillsync roster show, import: looking at a roster, and handing it out.
#include <iomanip>
#include <iostream>

#include "tools/client/roster_file.hpp"
#include "tools/client/spread.hpp"

namespace tillsync::cli {

namespace {

struct RosterShowArguments {
  std::string roster, data;
  bool json = false;
};

void show(const RosterShowArguments& a) {
  Json r;
  if (a.data.empty()) {
    r = to_json(read_roster(a.roster));
  } else {
    Folder folder(a.data);
    r = folder.ask({{"do", "roster"}});
    if (r.is_null()) throw Failure{"this till is not paired: it has no roster yet"};
  }
  if (a.json) return void(std::cout << json_text(r, 2) << '\n');
  if (r["frozen"].get<bool>()) std::cout << "EMERGENCY roster: no lease is exclusive until it is confirmed\n";
  std::cout << "branch " << r["branch"].get<std::string>() << " of " << r["tenant"].get<std::string>() << ", version "
            << r["version"] << ", lease " << r["lease_ms"] << " ms\n";
  if (r["cloud_pairs"].get<bool>()) std::cout << "the cloud may let tills join, without a vote\n";
  std::cout << "tenant " << r["tenant_id"].get<std::string>() << "\n\n";
  for (const Json& m : r["members"]) {
    std::cout << "  " << std::left << std::setw(20) << m["name"].get<std::string>() << std::setw(10)
              << m["role"].get<std::string>() << m["votes"] << (m["votes"] == 1 ? " vote   " : " votes  ")
              << m["key"].get<std::string>().substr(0, 16) << "..." << (m["joined"] == true ? "  (by the cloud)" : "")
              << '\n';
  }
}

void import_roster(const RosterShowArguments& a) {
  const Roster roster = read_roster(a.roster);
  Folder folder(a.data);
  const Json done = folder.ask({{"do", "take_roster"}, {"roster", bytes_json(roster.encoded())}});
  const std::string version = json_text(done["version"]);
  if (done["version"] > roster.version)
    throw Failure{"it has version " + version + " already: " + a.roster + " is older; fetch the newer file"};
  if (!done["same"].get<bool>())
    throw Failure{"it keeps its version " + version + ": the keys of " + a.roster +
                  " do not follow those that it trusts; is it of this tenant, and signed with the newest key?"};
  mark_handed_out(a.roster, roster);
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
