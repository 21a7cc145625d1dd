// tillsync roster: the tenant's key and the signed list of a branch's members.
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <iomanip>
#include <iostream>

#include "lease/grantor.hpp"
#include "tools/ask.hpp"
#include "tools/spread.hpp"
#include "transport/settings.hpp"

namespace tillsync::cli {

namespace {

struct Arguments {
  std::string out, tenant, branch, roster, tenant_key, name, member_key, role = "till", data;
  std::uint32_t votes = 1, lease_ms = 3000;
  std::vector<std::string> gone;
  bool json = false, on = false, off = false;
  std::shared_ptr<Whom> whom = std::make_shared<Whom>();
};

std::int64_t wall_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

void write_secret(const std::string& path, const SecretKey& key) {
  const mode_t before = ::umask(0077);
  auto written = replace_file(path, key.seed_hex() + "\n");
  ::umask(before);
  require(std::move(written));
}

void make_key(const Arguments& a) {
  if (std::filesystem::exists(a.out)) throw Failure{a.out + " exists: choose another name"};
  const SecretKey key = fresh_secret();
  write_secret(a.out, key);
  std::cout << "made " << a.out << "\nkey " << key.public_key().hex()
            << "\nAdd it with 'tillsync roster add --role manager --name NAME --key " << key.public_key().hex()
            << "'.\n";
}

void init(const Arguments& a) {
  const BranchId branch = require(BranchId::parse(a.branch));
  std::filesystem::create_directories(a.out);
  const std::string key_path = a.out + "/tenant.key", roster_path = a.out + "/" + branch.text + ".roster";
  if (std::filesystem::exists(roster_path))
    throw Failure{roster_path + " exists: change it with 'tillsync roster add', or choose another --out"};
  const bool known = std::filesystem::exists(key_path);
  const SecretKey key = known ? read_secret(key_path) : fresh_secret();
  if (!known) write_secret(key_path, key);
  Roster roster;
  roster.tenant = a.tenant;
  roster.tenant_key = Binary(key.public_key().view());
  roster.branch = branch;
  roster.lease_ms = a.lease_ms;
  if (roster.lease_ms < Roster::kMinLeaseMs || roster.lease_ms > Roster::kMaxLeaseMs) {
    throw Failure{"a lease time is 1000 to 60000 ms: choose one in between"};
  }
  roster.sign(key);
  require(replace_file(roster_path, roster.encoded()));
  std::cout << (known ? "used " : "made ") << key_path << " (keep it offline: it signs who may connect)\nmade "
            << roster_path << '\n';
}

Role role_named(const std::string& name) {
  if (name == "till") return Role::till;
  if (name == "cloud") return Role::cloud;
  return Role::manager;
}

SecretKey tenant_of(const Roster& roster, const std::string& path) {
  SecretKey tenant = read_secret(path);
  if (Binary(tenant.public_key().view()) != roster.tenant_key)
    throw Failure{path + " did not sign this roster: use its tenant's key"};
  return tenant;
}

void issue(const Arguments& a, Roster& roster, const SecretKey& tenant) {
  ++roster.version;
  roster.issued_ms = wall_ms();
  roster.sign(tenant);
  if (!Roster::decode(roster.encoded()))
    throw Failure{"that roster would break a rule: at most 200 members and one cloud, each name and key once"};
  require(replace_file(a.roster, roster.encoded()));
  std::cout << a.roster << " is at version " << roster.version
            << "; hand it to one till or the cloud with 'tillsync roster import'\n";
  const Member* cloud = roster.cloud();
  if (roster.frozen || cloud == nullptr || roster.total_votes() == 0 || roster.total_votes() % 2 != 0) return;
  std::cout << (cloud->votes == 0
                    ? "It has an even number of votes: let the cloud break a tie with 'tillsync roster witness --on'.\n"
                    : "It has an even number of votes with the cloud's: take that back with 'tillsync roster witness "
                      "--off'.\n");
}

// A vote comes or goes only when most of those who vote have the version before.
void change(const Arguments& a, const std::function<void(Roster&)>& edit) {
  Roster roster = read_roster(a.roster);
  const SecretKey tenant = tenant_of(roster, a.tenant_key);
  Roster next = roster;
  edit(next);
  if (next.total_votes() != roster.total_votes()) await_spread(a.roster, roster, *a.whom);
  issue(a, next, tenant);
}

void add_member(const Arguments& a) {
  const TillId name = require(TillId::parse(a.name));
  const auto key = PublicKey::from_hex(a.member_key);
  if (!key || !key->x25519())
    throw Failure{"'" + a.member_key +
                  "' is no member's key: 64 hexadecimal digits, as 'tillsync till init' shows them"};
  const Role role = role_named(a.role);
  change(a, [&](Roster& r) { r.add({name, Binary(key->view()), role, role == Role::till ? a.votes : 0}); });
}

void remove_member(const Arguments& a) {
  const TillId name = require(TillId::parse(a.name));
  change(a, [&](Roster& r) {
    if (r.find(name) == nullptr) throw Failure{name.text + " is not in " + a.roster};
    std::erase_if(r.members, [&](const Member& m) { return m.name == name; });
  });
}

void set_witness(const Arguments& a) {
  if (a.on == a.off) throw Failure{"say --on or --off"};
  change(a, [&](Roster& r) {
    const auto cloud =
        std::find_if(r.members.begin(), r.members.end(), [](const Member& m) { return m.role == Role::cloud; });
    if (cloud == r.members.end()) throw Failure{a.roster + " has no cloud: add it first"};
    cloud->votes = a.on ? 1 : 0;
  });
}

// Tills are stolen or burnt, and no majority is left to ask.
void emergency(const Arguments& a) {
  Roster roster = read_roster(a.roster);
  const SecretKey tenant = tenant_of(roster, a.tenant_key);
  for (const std::string& each : a.gone) {
    const TillId name = require(TillId::parse(each));
    if (roster.find(name) == nullptr) throw Failure{name.text + " is not in " + a.roster};
    std::erase_if(roster.members, [&](const Member& m) { return m.name == name; });
  }
  ++roster.epoch;
  roster.frozen = true;
  issue(a, roster, tenant);
  std::cout << "Until you confirm it, tills sell and sync, and no lease is exclusive. Make sure that those removed are "
               "really off, wait a minute, and run 'tillsync roster confirm'.\n";
}

void confirm(const Arguments& a) {
  Roster roster = read_roster(a.roster);
  const SecretKey tenant = tenant_of(roster, a.tenant_key);
  if (!roster.frozen) throw Failure{a.roster + " needs no confirmation: it is no emergency roster"};
  const std::int64_t left = roster.issued_ms + to_ms(promise_time(Roster::kMaxLeaseMs)) - wall_ms();
  if (left > 0)
    throw Failure{"too early: a lease of the tills that were removed may still run; try again in " +
                  std::to_string(left / 1000 + 1) + " s"};
  await_spread(a.roster, roster, *a.whom);
  roster.frozen = false;
  issue(a, roster, tenant);
}

void show(const Arguments& a) {
  Json r;
  if (a.data.empty()) {
    r = to_json(read_roster(a.roster));
  } else {
    Folder folder(a.data);
    r = folder.ask({{"do", "roster"}});
    if (r.is_null()) throw Failure{"this till is not paired: it has no roster yet"};
  }
  if (a.json) return void(std::cout << r.dump(2) << '\n');
  if (r["frozen"].get<bool>()) std::cout << "EMERGENCY roster: no lease is exclusive until it is confirmed\n";
  std::cout << "branch " << r["branch"].get<std::string>() << " of " << r["tenant"].get<std::string>() << ", version "
            << r["version"] << ", lease " << r["lease_ms"] << " ms\n\n";
  for (const Json& m : r["members"]) {
    std::cout << "  " << std::left << std::setw(20) << m["name"].get<std::string>() << std::setw(10)
              << m["role"].get<std::string>() << m["votes"] << (m["votes"] == 1 ? " vote   " : " votes  ")
              << m["key"].get<std::string>().substr(0, 16) << "...\n";
  }
}

void import_roster(const Arguments& a) {
  const Bytes bytes = read_roster(a.roster).encoded();
  Folder folder(a.data);
  const Json done =
      folder.ask({{"do", "take_roster"}, {"roster", std::vector<std::uint8_t>(bytes.begin(), bytes.end())}});
  mark_handed_out(a.roster, read_roster(a.roster));
  std::cout << "roster version " << done["version"] << " is in force there\n";
}

}  // namespace

void add_roster(CLI::App& app) {
  auto a = std::make_shared<Arguments>();
  CLI::App* roster = app.add_subcommand(
      "roster",
      "Who belongs to a branch.\nExample: tillsync roster init --out shop --tenant 'Our Bakery' --branch main-street");
  roster->require_subcommand(1);
  CLI::App* start = roster->add_subcommand("init", "Make the tenant's key and an empty roster.");
  start->add_option("--out", a->out, "Folder for tenant.key and BRANCH.roster")->required();
  start->add_option("--tenant", a->tenant, "The retailer's name, for people")->required();
  start->add_option("--branch", a->branch, "The branch's name: a-z, 0-9 and '-'")->required();
  start->add_option("--lease-ms", a->lease_ms, "Lease time")->capture_default_str();
  start->callback([a] { init(*a); });
  auto changing = [&](const char* name, const char* what) {
    CLI::App* c = roster->add_subcommand(name, what);
    c->add_option("--roster", a->roster, "The roster file")->required();
    c->add_option("--tenant-key", a->tenant_key, "The tenant's key file")->required();
    return c;
  };
  auto asking = [&](CLI::App* c, const char* key) {
    auto* data = c->add_option("--data", a->whom->data, "A till's folder on this machine, to see who has the roster");
    auto* at = c->add_option("--at", a->whom->at, "Or a till elsewhere: NAME@HOST:PORT");
    at->excludes(data);
    at->needs(c->add_option(key, a->whom->key, "With --at: a manager's key file"));
  };
  CLI::App* add = changing("add",
                           "Add a member.\nExample: tillsync roster add --roster shop/main-street.roster --tenant-key "
                           "shop/tenant.key --name till-1 --key KEY");
  add->add_option("--name", a->name, "The member's name")->required();
  add->add_option("--key", a->member_key, "Its public key, as 'tillsync till init' shows it")->required();
  add->add_option("--role", a->role, "till, cloud, or manager (who may ask, and nothing else)")
      ->check(CLI::IsMember({"till", "cloud", "manager"}))
      ->capture_default_str();
  add->add_option("--votes", a->votes, "0 or 1")->check(CLI::Range(0, 1))->capture_default_str();
  asking(add, "--manager-key");
  add->callback([a] { add_member(*a); });
  CLI::App* remove =
      changing("remove", "Remove a member: it can no longer connect or vote once the new roster arrives.");
  remove->add_option("--name", a->name, "The member's name")->required();
  asking(remove, "--manager-key");
  remove->callback([a] { remove_member(*a); });
  CLI::App* witness = changing("witness",
                               "Give the cloud a vote, or take it: for branches with an even number of tills.\n"
                               "Example: tillsync roster witness --on --roster shop/main-street.roster --tenant-key "
                               "shop/tenant.key");
  witness->add_flag("--on", a->on, "It votes");
  witness->add_flag("--off", a->off, "It does not");
  asking(witness, "--manager-key");
  witness->callback([a] { set_witness(*a); });
  CLI::App* alarm = changing("emergency",
                             "Tills are stolen or burnt and no majority is left: remove them at once.\n"
                             "Example: tillsync roster emergency --gone till-1 --gone till-2 --roster "
                             "shop/main-street.roster --tenant-key shop/tenant.key");
  alarm->add_option("--gone", a->gone, "A till that is gone; any number of times")->required();
  alarm->callback([a] { emergency(*a); });
  CLI::App* sure = changing("confirm", "Confirm an emergency roster, a minute later at the earliest.");
  asking(sure, "--manager-key");
  sure->callback([a] { confirm(*a); });
  CLI::App* key = roster->add_subcommand("key",
                                         "Make a key for a manager's machine, which may then ask any till.\n"
                                         "Example: tillsync roster key --out manager.key");
  key->add_option("--out", a->out, "The file to make")->required();
  key->callback([a] { make_key(*a); });
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
