// tillsync pair: a new till joins a branch with a one-time code.
#include <iostream>

#include "tools/spread.hpp"
#include "transport/pairing.hpp"
#include "transport/settings.hpp"

namespace tillsync::cli {

namespace {

struct Arguments {
  std::string roster, tenant_key, listen = "0.0.0.0:7790", cloud, data, code, at;
  std::shared_ptr<Whom> whom = std::make_shared<Whom>();
};

PairGrant grant_to(const PairRequest& request, const SecretKey& tenant, const Arguments& a) {
  PairGrant grant;
  Roster roster = read_roster(a.roster);
  if (request.branch != roster.branch) {
    grant.refusal = "this invitation is for branch " + roster.branch.text + ": make the till's folder with --branch " +
                    roster.branch.text;
    return grant;
  }
  const Member* known = roster.find(request.till);
  if (known != nullptr && known->key != request.key) {
    grant.refusal = "the branch has another till named " + request.till.text + ": choose another name";
    return grant;
  }
  if (known == nullptr) {
    roster.add({request.till, request.key, Role::till, 1});
    ++roster.version;
    roster.sign(tenant);
    require(replace_file(a.roster, roster.encoded()));
  }
  grant.roster = Binary(roster.encoded());
  grant.cloud = a.cloud;
  return grant;
}

void run_invite(const Arguments& a) {
  const SecretKey tenant = read_secret(a.tenant_key);
  if (Binary(tenant.public_key().view()) != read_roster(a.roster).tenant_key) {
    throw Failure{a.tenant_key + " did not sign this roster: use its tenant's key"};
  }
  await_spread(a.roster, read_roster(a.roster), *a.whom);
  const std::string code = fresh_pair_code();
  const PairRequest joined = require(invite(
      require(Address::parse(a.listen)), code, [&](const PairRequest& request) { return grant_to(request, tenant, a); },
      [&](std::uint16_t port) {
        std::cout << "code  " << code << "\nport  " << port
                  << "\nOn the new till, within ten minutes:\n  tillsync pair join --data FOLDER --code " << code
                  << " --at THIS-MACHINE:" << port << std::endl;
      }));
  mark_handed_out(a.roster, read_roster(a.roster));
  std::cout << joined.till.text << " joined; the roster is at version " << read_roster(a.roster).version
            << " and spreads by itself from the new till\n";
}

void run_join(const Arguments& a) {
  PairGrant granted;
  {
    auto folder = require(DataFolder::lock(a.data, false));
    Settings settings = require(load_settings(folder));
    const SecretKey key = require(load_identity(folder, true));
    granted = require(join(require(Address::parse(a.at)), a.code,
                           {settings.branch, settings.till, Binary(key.public_key().view())}, key));
    if (!granted.cloud.empty() && !settings.cloud) {
      settings.cloud = require(Address::parse(granted.cloud));
      require(replace_file(folder.file("till.toml"), settings.toml()));
    }
    require(replace_file(folder.file("roster.bin"), granted.roster));
  }
  const auto roster = Roster::decode(granted.roster);
  if (!roster) throw Failure{"the other side sent no valid roster: invite again"};
  std::cout << "joined branch " << roster->branch.text << " of " << roster->tenant << " with " << roster->members.size()
            << " members; start the till with 'tillsync till --data " << a.data << "'\n";
}

}  // namespace

void add_pair(CLI::App& app) {
  auto a = std::make_shared<Arguments>();
  CLI::App* pair = app.add_subcommand("pair", "A new till joins a branch with a one-time code.");
  pair->require_subcommand(1);
  CLI::App* i = pair->add_subcommand(
      "invite",
      "Show a code and wait for the new till (10 minutes, 5 tries).\n"
      "Example: tillsync pair invite --roster shop/main-street.roster --tenant-key shop/tenant.key");
  i->add_option("--roster", a->roster, "The branch's roster file; gets the new member")->required();
  i->add_option("--tenant-key", a->tenant_key, "The tenant's key file")->required();
  i->add_option("--listen", a->listen, "HOST:PORT to wait on")->capture_default_str();
  i->add_option("--cloud", a->cloud, "The cloud's HOST:PORT, for the new till's till.toml");
  auto* running =
      i->add_option("--data", a->whom->data, "A running till's folder on this machine, to see who has the roster");
  auto* at = i->add_option("--at", a->whom->at, "Or a till elsewhere: NAME@HOST:PORT");
  at->excludes(running);
  at->needs(i->add_option("--manager-key", a->whom->key, "With --at: a manager's key file"));
  i->callback([a] { run_invite(*a); });
  CLI::App* j = pair->add_subcommand("join",
                                     "Join with the code.\nExample: tillsync pair join --data /var/lib/shop/till-2 "
                                     "--code 7KQ2-M9TD-4XWB --at 192.168.1.10:7790");
  j->add_option("--data", a->data, "The new till's data folder")->required();
  j->add_option("--code", a->code, "The code that the inviting side shows")->required();
  j->add_option("--at", a->at, "HOST:PORT of the inviting side")->required();
  j->callback([a] { run_join(*a); });
}

}  // namespace tillsync::cli
