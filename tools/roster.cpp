// tillsync roster: the tenant's key and the signed list of a branch's members.
#include <sys/stat.h>

#include <filesystem>
#include <iomanip>
#include <iostream>

#include "tools/cli.hpp"
#include "transport/settings.hpp"

namespace tillsync::cli {

namespace {

struct Arguments {
  std::string out, tenant, branch, roster, tenant_key, name, key, role = "till", data;
  std::uint32_t votes = 1, lease_ms = 3000;
  bool json = false;
};

SecretKey read_secret(const std::string& path) {
  std::string text = require(read_file(path));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return require(SecretKey::from_hex(text));
}

void init(const Arguments& a) {
  const BranchId branch = require(BranchId::parse(a.branch));
  std::filesystem::create_directories(a.out);
  const std::string key_path = a.out + "/tenant.key", roster_path = a.out + "/" + branch.text + ".roster";
  if (std::filesystem::exists(roster_path))
    throw Failure{roster_path + " exists: change it with 'tillsync roster add', or choose another --out"};
  const bool known = std::filesystem::exists(key_path);
  const SecretKey key = known ? read_secret(key_path) : fresh_secret();
  if (!known) {
    const mode_t before = ::umask(0077);
    auto written = replace_file(key_path, key.seed_hex() + "\n");
    ::umask(before);
    require(std::move(written));
  }
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

void change(const Arguments& a, bool add) {
  Roster roster = read_roster(a.roster);
  const SecretKey tenant = read_secret(a.tenant_key);
  if (Binary(tenant.public_key().view()) != roster.tenant_key)
    throw Failure{a.tenant_key + " did not sign this roster: use its tenant's key"};
  const TillId name = require(TillId::parse(a.name));
  if (add) {
    const auto key = PublicKey::from_hex(a.key);
    if (!key || !key->x25519())
      throw Failure{"'" + a.key + "' is no member's key: 64 hexadecimal digits, as 'tillsync till init' shows them"};
    const Role role = role_named(a.role);
    roster.add({name, Binary(key->view()), role, role == Role::till ? a.votes : 0});
  } else {
    if (roster.find(name) == nullptr) throw Failure{name.text + " is not in " + a.roster};
    std::erase_if(roster.members, [&](const Member& m) { return m.name == name; });
  }
  ++roster.version;
  roster.sign(tenant);
  if (!Roster::decode(roster.encoded()))
    throw Failure{"that roster would break a rule: at most 200 members and one cloud, each name and key once"};
  require(replace_file(a.roster, roster.encoded()));
  std::cout << a.roster << " is at version " << roster.version
            << "; hand it to one till or the cloud with 'tillsync roster import'\n";
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
    c->add_option("--name", a->name, "The member's name")->required();
    return c;
  };
  CLI::App* add = changing("add",
                           "Add a member.\nExample: tillsync roster add --roster shop/main-street.roster --tenant-key "
                           "shop/tenant.key --name till-1 --key KEY");
  add->add_option("--key", a->key, "Its public key, as 'tillsync till init' shows it")->required();
  add->add_option("--role", a->role, "till, cloud or manager")
      ->check(CLI::IsMember({"till", "cloud", "manager"}))
      ->capture_default_str();
  add->add_option("--votes", a->votes, "0 or 1")->check(CLI::Range(0, 1))->capture_default_str();
  add->callback([a] { change(*a, true); });
  changing("remove", "Remove a member: it can no longer connect or vote once the new roster arrives.")->callback([a] {
    change(*a, false);
  });
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
