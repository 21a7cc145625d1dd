// tillsync roster rotate, recover, follow, delegate: the tenant's own keys (lease/tenant.hpp, docs/lease.md).
#include <filesystem>
#include <iostream>

#include "tools/cli/options.hpp"
#include "tools/client/roster_file.hpp"
#include "transport/base/settings.hpp"

namespace tillsync::cli {

namespace {

using client::current_roster;
using client::issue;
using client::read_roster;
using client::read_secret;
using client::tenant_of;
using client::write_secret;

struct TenantArguments {
  std::string roster, tenant_key, recovery_key, out, like, key;
  bool on = false, off = false;
  std::shared_ptr<Whom> whom = std::make_shared<Whom>();
};

constexpr char kOthers[] =
    "Other branches' rosters take the new keys over with 'tillsync roster follow --like THIS_ROSTER'.\n";

// What tills hold that a thief signed for counts no more, and neither do its grants: as in any emergency.
void open_era(Roster& roster) {
  roster.version = roster.epoch = roster.keys.era() * Roster::kPerEra;
  roster.frozen = true;
}

void say_frozen() {
  std::cout << "Until you confirm it, tills sell and sync, and no lease is exclusive. Hand it out, wait a minute, and "
               "run 'tillsync roster confirm'.\n";
}

void rotate(const TenantArguments& a) {
  Roster roster = current_roster(a.roster, *a.whom);
  const SecretKey former = tenant_of(roster, a.tenant_key), next = fresh_secret();
  if (!roster.keys.rotate(former, next)) throw Failure{"this tenant's keys were changed too often: 40 times at most"};
  write_secret(a.out, next);
  ++roster.version;
  issue(a.roster, roster, next);
  std::cout << "made " << a.out << ": it signs from now on, and " << a.tenant_key
            << " counts for nothing where this roster has arrived\n"
            << kOthers;
}

void recover(const TenantArguments& a) {
  Roster roster = read_roster(a.roster);
  const SecretKey recovery = read_secret(a.recovery_key), next = fresh_secret(), next_recovery = fresh_secret();
  if (recovery.public_key() != roster.keys.recovery())
    throw Failure{a.recovery_key + " is not this tenant's recovery key: use the newest one"};
  if (!roster.keys.recover(recovery, next, next_recovery.public_key()))
    throw Failure{"this tenant's keys were changed too often: 40 times at most"};
  std::filesystem::create_directories(a.out);
  write_secret(a.out + "/tenant.key", next);
  write_secret(a.out + "/recovery.key", next_recovery);
  open_era(roster);
  issue(a.roster, roster, next);
  std::cout << "made " << a.out << "/tenant.key, which signs from now on, and " << a.out
            << "/recovery.key (keep it elsewhere). Whatever the old keys sign counts for nothing where this roster "
               "has arrived.\n"
            << kOthers;
  say_frozen();
}

void follow(const TenantArguments& a) {
  Roster roster = read_roster(a.roster);
  const Roster like = read_roster(a.like);
  if (roster.keys == like.keys) throw Failure{a.roster + " has the tenant's newest keys already"};
  if (!like.keys.follow(roster.keys))
    throw Failure{a.like + " is of another tenant, or has older keys: name the roster that was changed last"};
  const SecretKey tenant = tenant_of(like, a.tenant_key);
  const bool recovered = like.keys.era() > roster.keys.era();
  if (!recovered) roster = current_roster(a.roster, *a.whom);
  roster.keys = like.keys;
  ++roster.version;
  if (recovered) open_era(roster);
  issue(a.roster, roster, tenant);
  if (recovered) say_frozen();
}

void delegate(const TenantArguments& a) {
  if (a.on == a.off) throw Failure{"say --on or --off"};
  Roster roster = current_roster(a.roster, *a.whom);
  const SecretKey tenant = tenant_of(roster, a.tenant_key);
  if (roster.cloud() == nullptr) throw Failure{a.roster + " has no cloud: add it first"};
  roster.pairing_key = a.on ? roster.cloud()->key : Binary();
  ++roster.version;
  issue(a.roster, roster, tenant);
}

}  // namespace

void add_tenant_keys(CLI::App* roster) {
  auto a = std::make_shared<TenantArguments>();
  auto command = [&](const char* name, const char* what, bool signs) {
    CLI::App* c = roster->add_subcommand(name, what);
    c->add_option("--roster", a->roster, "The roster file")->required();
    if (signs) c->add_option("--tenant-key", a->tenant_key, "The tenant's key file")->required();
    if (signs) add_asked(c, a->whom);
    return c;
  };
  CLI::App* r = command("rotate",
                        "Change the key that signs rosters; the old one names the new one.\n"
                        "Example: tillsync roster rotate --roster shop/main-street.roster --tenant-key shop/tenant.key "
                        "--out shop/tenant-2027.key",
                        true);
  r->add_option("--out", a->out, "The new key's file")->required();
  r->callback([a] { rotate(*a); });
  CLI::App* lost = command("recover",
                           "The signing key is lost or stolen: make new ones with the recovery key.\n"
                           "Example: tillsync roster recover --roster shop/main-street.roster --recovery-key "
                           "safe/recovery.key --out shop-2027",
                           false);
  lost->add_option("--recovery-key", a->recovery_key, "The recovery key's file")->required();
  lost->add_option("--out", a->out, "Folder for the new tenant.key and recovery.key")->required();
  lost->callback([a] { recover(*a); });
  CLI::App* f = command("follow",
                        "Take over the tenant's keys as another branch's roster has them.\n"
                        "Example: tillsync roster follow --roster shop/harbour.roster --like shop/main-street.roster "
                        "--tenant-key shop/tenant-2027.key",
                        true);
  f->add_option("--like", a->like, "The roster that has them")->required();
  f->callback([a] { follow(*a); });
  CLI::App* d = command("delegate",
                        "Allow the cloud to let tills join, without a vote, or take that back.\n"
                        "Example: tillsync roster delegate --on --roster shop/main-street.roster --tenant-key "
                        "shop/tenant.key",
                        true);
  d->add_flag("--on", a->on, "The cloud may");
  d->add_flag("--off", a->off, "It may not; those who joined stay");
  d->callback([a] { delegate(*a); });
}

}  // namespace tillsync::cli
