// tillsync roster: the tenant's key and the signed list of a branch's members.
#include <algorithm>
#include <filesystem>
#include <functional>
#include <iomanip>
#include <iostream>

#include "lease/grantor.hpp"
#include "tools/cli/options.hpp"
#include "tools/client/roster_file.hpp"
#include "tools/client/spread.hpp"
#include "transport/base/settings.hpp"

namespace tillsync::cli {

namespace {

using client::await_spread;
using client::current_roster;
using client::issue;
using client::read_roster;
using client::read_secret;
using client::tenant_of;
using client::wall_ms;
using client::write_secret;

struct RosterArguments {
  std::string out, tenant, branch, roster, tenant_key, name, member_key, role = "till";
  std::uint32_t votes = 1, lease_ms = 3000;
  std::vector<std::string> gone;
  bool on = false, off = false;
  std::shared_ptr<Whom> whom = std::make_shared<Whom>();
};

void make_key(const RosterArguments& a) {
  if (std::filesystem::exists(a.out)) throw Failure{a.out + " exists: choose another name"};
  const SecretKey key = fresh_secret();
  write_secret(a.out, key);
  std::cout << "made " << a.out << "\nkey " << key.public_key().hex()
            << "\nAdd it with 'tillsync roster add --role manager --name NAME --key " << key.public_key().hex()
            << "'.\n";
}

// The keys of the tenant's branch before, or new ones.
TenantKeys keys_in(const std::string& folder, const std::string& key_path) {
  if (!std::filesystem::exists(key_path)) {
    const SecretKey key = fresh_secret(), recovery = fresh_secret();
    write_secret(folder + "/recovery.key", recovery);
    write_secret(key_path, key);
    std::cout << "made " << key_path << " (keep it offline: it signs who may connect)\nmade " << folder
              << "/recovery.key (move it elsewhere, to a safe: it helps when the other is lost or stolen)\n";
    return TenantKeys::founded(key.public_key(), recovery.public_key());
  }
  std::optional<TenantKeys> newest;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.path().extension() != ".roster") continue;
    const Roster other = read_roster(file.path());
    if (!newest || other.keys.follow(*newest)) newest = other.keys;
  }
  if (!newest || newest->signing() != read_secret(key_path).public_key())
    throw Failure{key_path + " does not sign the newest roster in " + folder +
                  ": name the key that does with --tenant-key, or choose another --out for a new tenant"};
  std::cout << "used " << key_path << '\n';
  return *newest;
}

void init(const RosterArguments& a) {
  const BranchId branch = require(BranchId::parse(a.branch));
  std::filesystem::create_directories(a.out);
  const std::string key_path = a.tenant_key.empty() ? a.out + "/tenant.key" : a.tenant_key,
                    roster_path = a.out + "/" + branch.text + ".roster";
  if (std::filesystem::exists(roster_path))
    throw Failure{roster_path + " exists: change it with 'tillsync roster add', or choose another --out"};
  Roster roster;
  roster.tenant = a.tenant;
  roster.branch = branch;
  roster.lease_ms = a.lease_ms;
  if (roster.lease_ms < Roster::kMinLeaseMs || roster.lease_ms > Roster::kMaxLeaseMs) {
    throw Failure{"a lease time is 1000 to 60000 ms: choose one in between"};
  }
  roster.keys = keys_in(a.out, key_path);
  roster.version = roster.keys.era() * Roster::kPerEra + 1;
  roster.epoch = roster.keys.era() * Roster::kPerEra;
  roster.sign(read_secret(key_path));
  require(replace_file(roster_path, roster.encoded()));
  std::cout << "made " << roster_path << '\n';
}

Role role_named(const std::string& name) {
  if (name == "till") return Role::till;
  if (name == "cloud") return Role::cloud;
  return name == "support" ? Role::support : Role::manager;
}

// A vote comes or goes only when most of those who vote have the version before.
void change(const RosterArguments& a, const std::function<void(Roster&)>& edit) {
  const Roster roster = current_roster(a.roster, *a.whom);
  const SecretKey tenant = tenant_of(roster, a.tenant_key);
  Roster next = roster;
  edit(next);
  ++next.version;
  if (next.total_votes() != roster.total_votes()) await_spread(a.roster, roster, *a.whom);
  issue(a.roster, next, tenant);
}

void add_member(const RosterArguments& a) {
  const TillId name = require(TillId::parse(a.name));
  const auto key = PublicKey::from_hex(a.member_key);
  if (!key || !key->x25519())
    throw Failure{"'" + a.member_key +
                  "' is no member's key: 64 hexadecimal digits, as 'tillsync till init' shows them"};
  const Role role = role_named(a.role);
  change(a, [&](Roster& r) { r.add({name, Binary(key->view()), role, role == Role::till ? a.votes : 0}); });
}

void remove_member(const RosterArguments& a) {
  const TillId name = require(TillId::parse(a.name));
  change(a, [&](Roster& r) {
    if (r.find(name) == nullptr) throw Failure{name.text + " is not in " + a.roster};
    std::erase_if(r.members, [&](const Member& m) { return m.name == name; });
  });
}

// Of the cloud, or of a till.
void set_vote(const RosterArguments& a, Role role) {
  if (a.on == a.off) throw Failure{"say --on or --off"};
  change(a, [&](Roster& r) {
    const auto voter = std::ranges::find_if(
        r.members, [&](const Member& m) { return m.role == role && (role == Role::cloud || m.name.text == a.name); });
    if (voter == r.members.end())
      throw Failure{a.roster + (role == Role::cloud ? " has no cloud: add it first" : " has no till " + a.name)};
    voter->votes = a.on ? 1 : 0;
  });
}

// Tills are stolen or burnt, and no majority is left to ask.
void emergency(const RosterArguments& a) {
  Roster roster = read_roster(a.roster);
  const SecretKey tenant = tenant_of(roster, a.tenant_key);
  for (const std::string& each : a.gone) {
    const TillId name = require(TillId::parse(each));
    if (roster.find(name) == nullptr) throw Failure{name.text + " is not in " + a.roster};
    std::erase_if(roster.members, [&](const Member& m) { return m.name == name; });
  }
  ++roster.epoch;
  roster.frozen = true;
  ++roster.version;
  issue(a.roster, roster, tenant);
  std::cout << "Until you confirm it, tills sell and sync, and no lease is exclusive. Make sure that those removed are "
               "really off, wait a minute, and run 'tillsync roster confirm'.\n";
}

void confirm(const RosterArguments& a) {
  Roster roster = read_roster(a.roster);
  const SecretKey tenant = tenant_of(roster, a.tenant_key);
  if (!roster.frozen) throw Failure{a.roster + " needs no confirmation: it is no emergency roster"};
  const std::int64_t left = roster.issued_ms + to_ms(promise_time(Roster::kMaxLeaseMs)) - wall_ms();
  if (left > 0)
    throw Failure{"too early: a lease of the tills that were removed may still run; try again in " +
                  std::to_string(left / 1000 + 1) + " s"};
  await_spread(a.roster, roster, *a.whom);
  roster.frozen = false;
  ++roster.version;
  issue(a.roster, roster, tenant);
}

using Arguments = std::shared_ptr<RosterArguments>;

CLI::App* changing(CLI::App* roster, const Arguments& a, const char* name, const char* what) {
  CLI::App* c = roster->add_subcommand(name, what);
  c->add_option("--roster", a->roster, "The roster file")->required();
  c->add_option("--tenant-key", a->tenant_key, "The tenant's key file")->required();
  return c;
}

void add_init(CLI::App* roster, const Arguments& a) {
  CLI::App* start = roster->add_subcommand("init", "Make the tenant's keys and an empty roster.");
  start->add_option("--out", a->out, "Folder for tenant.key, recovery.key and BRANCH.roster")->required();
  start->add_option("--tenant", a->tenant, "The retailer's name, for people")->required();
  start->add_option("--branch", a->branch, "The branch's name: a-z, 0-9 and '-'")->required();
  start->add_option("--tenant-key", a->tenant_key, "For a further branch: the tenant's key, if not OUT/tenant.key");
  start->add_option("--lease-ms", a->lease_ms, "Lease time")->capture_default_str();
  start->callback([a] { init(*a); });
}

void add_members(CLI::App* roster, const Arguments& a) {
  CLI::App* add = changing(roster, a, "add",
                           "Add a member.\nExample: tillsync roster add --roster shop/main-street.roster --tenant-key "
                           "shop/tenant.key --name till-1 --key KEY");
  add->add_option("--name", a->name, "The member's name")->required();
  add->add_option("--key", a->member_key, "Its public key, as 'tillsync till init' shows it")->required();
  add->add_option("--role", a->role,
                  "till, cloud, manager (who may ask), or support (who may ask and settle conflicts)")
      ->check(CLI::IsMember({"till", "cloud", "manager", "support"}))
      ->capture_default_str();
  add->add_option("--votes", a->votes, "0 or 1")->check(CLI::Range(0, 1))->capture_default_str();
  add_asked(add, a->whom);
  add->callback([a] { add_member(*a); });
  CLI::App* remove =
      changing(roster, a, "remove", "Remove a member: it can no longer connect or vote once the new roster arrives.");
  remove->add_option("--name", a->name, "The member's name")->required();
  add_asked(remove, a->whom);
  remove->callback([a] { remove_member(*a); });
}

void add_votes(CLI::App* roster, const Arguments& a) {
  CLI::App* witness = changing(roster, a, "witness",
                               "Give the cloud a vote, or take it: for branches with an even number of tills.\n"
                               "Example: tillsync roster witness --on --roster shop/main-street.roster --tenant-key "
                               "shop/tenant.key");
  witness->add_flag("--on", a->on, "It votes");
  witness->add_flag("--off", a->off, "It does not");
  add_asked(witness, a->whom);
  witness->callback([a] { set_vote(*a, Role::cloud); });
  CLI::App* vote = changing(roster, a, "vote",
                            "Give a till a vote, or take it: one that joined by the cloud has none yet.\n"
                            "Example: tillsync roster vote --on --name till-4 --roster shop/main-street.roster "
                            "--tenant-key shop/tenant.key --data till-1");
  vote->add_option("--name", a->name, "The till")->required();
  vote->add_flag("--on", a->on, "It votes");
  vote->add_flag("--off", a->off, "It does not");
  add_asked(vote, a->whom);
  vote->callback([a] { set_vote(*a, Role::till); });
}

void add_emergency(CLI::App* roster, const Arguments& a) {
  CLI::App* alarm = changing(roster, a, "emergency",
                             "Tills are stolen or burnt and no majority is left: remove them at once.\n"
                             "Example: tillsync roster emergency --gone till-1 --gone till-2 --roster "
                             "shop/main-street.roster --tenant-key shop/tenant.key");
  alarm->add_option("--gone", a->gone, "A till that is gone; any number of times")->required();
  alarm->callback([a] { emergency(*a); });
  CLI::App* sure = changing(roster, a, "confirm", "Confirm an emergency roster, a minute later at the earliest.");
  add_asked(sure, a->whom);
  sure->callback([a] { confirm(*a); });
}

}  // namespace

void add_roster(CLI::App& app) {
  auto a = std::make_shared<RosterArguments>();
  CLI::App* roster = app.add_subcommand(
      "roster",
      "Who belongs to a branch.\nExample: tillsync roster init --out shop --tenant 'Our Bakery' --branch main-street");
  roster->require_subcommand(1);
  add_init(roster, a);
  add_members(roster, a);
  add_votes(roster, a);
  add_emergency(roster, a);
  add_tenant_keys(roster);
  add_roster_show(roster);
  CLI::App* key = roster->add_subcommand("key",
                                         "Make a key for a manager's or a supporter's machine.\n"
                                         "Example: tillsync roster key --out manager.key");
  key->add_option("--out", a->out, "The file to make")->required();
  key->callback([a] { make_key(*a); });
}

}  // namespace tillsync::cli
