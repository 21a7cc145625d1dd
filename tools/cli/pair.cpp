// tillsync pair: a new till joins a branch with a one-time code.
#include <functional>
#include <iostream>

#include "storage/disk/data_folder.hpp"
#include "tools/cli/options.hpp"
#include "tools/client/roster_file.hpp"
#include "tools/client/spread.hpp"
#include "transport/base/settings_edit.hpp"
#include "transport/net/pairing.hpp"

namespace tillsync::cli {

namespace {

using client::await_spread;
using client::current_roster;
using client::mark_handed_out;
using client::read_roster;
using client::read_secret;
using client::tenant_of;
using client::wall_ms;

struct PairArguments {
  std::string roster, tenant_key, listen = "0.0.0.0:7790", cloud, branch, data, code, at;
  std::shared_ptr<Whom> whom = std::make_shared<Whom>();
};

// What the inviting side does with a till that knows the code: makes the roster that names it, and keeps it.
using Admit = std::function<Roster(const PairRequest&)>;

PairGrant grant_to(const PairRequest& request, const Roster& roster, const Admit& admit, const PairArguments& a) {
  PairGrant grant;
  grant.cloud = a.cloud;
  const Member* known = roster.find(request.till);
  if (request.branch != roster.branch) {
    grant.refusal = "this invitation is for branch " + roster.branch.text + ": make the till's folder with --branch " +
                    roster.branch.text;
  } else if (known != nullptr && known->key != request.key) {
    grant.refusal = "the branch has another till named " + request.till.text + ": choose another name";
  } else {
    grant.roster = Binary((known != nullptr ? roster : admit(request)).encoded());
  }
  return grant;
}

void wait_for_till(const PairArguments& a, const Roster& roster, const Admit& admit) {
  const std::string code = fresh_pair_code();
  const PairRequest joined = require(invite(
      require(Address::parse(a.listen)), code,
      [&](const PairRequest& request) { return grant_to(request, roster, admit, a); },
      [&](std::uint16_t port) {
        std::cout << "code  " << code << "\nport  " << port
                  << "\nOn the new till, within ten minutes:\n  tillsync pair join --data FOLDER --code " << code
                  << " --at THIS-MACHINE:" << port << std::endl;
      }));
  std::cout << joined.till.text << " joined";
}

void invite_by_tenant(const PairArguments& a) {
  Roster roster = current_roster(a.roster, *a.whom);
  const SecretKey tenant = tenant_of(roster, a.tenant_key);
  await_spread(a.roster, roster, *a.whom);
  wait_for_till(a, roster, [&](const PairRequest& request) {
    roster.add({request.till, request.key, Role::till, 1});
    ++roster.version;
    roster.issued_ms = wall_ms();
    roster.sign(tenant);
    require(replace_file(a.roster, roster.encoded()));
    return roster;
  });
  mark_handed_out(a.roster, read_roster(a.roster));
  std::cout << "; the roster is at version " << roster.version << " and spreads by itself from the new till\n";
}

// With the cloud's own key, where the tenant has delegated it.
void invite_by_cloud(const PairArguments& a) {
  Folder folder(a.whom->data);
  if (!folder.is_cloud())
    throw Failure{"a till can't invite by itself: name the roster with --roster and --tenant-key, or a cloud's folder"};
  auto roster = Roster::decode(require(folder.ask(api::RosterHeldRequest{{a.branch}})).roster.bytes);
  if (!roster) throw Failure{"this cloud's roster is damaged: hand it over anew with 'tillsync roster import'"};
  const SecretKey key = read_secret(a.whom->data + "/identity.key");
  if (roster->pairing_key != key.public_key().view())
    throw Failure{"the tenant does not let this cloud pair tills of " + roster->branch.text +
                  ": its manager may, with 'tillsync roster delegate --on'"};
  wait_for_till(a, *roster, [&](const PairRequest& request) {
    roster->join(request.till, request.key, key);
    const auto kept = require(folder.ask(api::TakeRosterRequest{{roster->encoded()}}));
    if (!kept.same) throw Failure{"the branch got a newer roster meanwhile: invite again"};
    return *roster;
  });
  std::cout << ", without a vote until the manager gives it one ('tillsync roster vote')\n";
}

void run_join(const PairArguments& a) {
  PairGrant granted;
  {
    auto folder = require(DataFolder::lock(a.data, false));
    const Settings settings = require(load_settings(folder));
    const SecretKey key = require(load_identity(folder, true));
    granted = require(join(require(Address::parse(a.at)), a.code,
                           {settings.branch, settings.till, Binary(key.public_key().view())}, key));
    if (!granted.cloud.empty() && !settings.cloud)
      require(change_settings(folder, {.cloud = require(Address::parse(granted.cloud))}));
    require(replace_file(folder.file("roster.bin"), granted.roster));
  }
  const auto roster = Roster::decode(granted.roster);
  if (!roster) throw Failure{"the other side sent no valid roster: invite again"};
  std::cout << "joined branch " << roster->branch.text << " of " << roster->tenant << " with " << roster->members.size()
            << " members; start the till with 'tillsync till --data " << a.data << "'\n";
}

}  // namespace

void add_pair(CLI::App& app) {
  auto a = std::make_shared<PairArguments>();
  CLI::App* pair = app.add_subcommand("pair", "A new till joins a branch with a one-time code.");
  pair->require_subcommand(1);
  CLI::App* i = pair->add_subcommand(
      "invite",
      "Show a code and wait for the new till (10 minutes, 5 tries). With the tenant's key, or, where it is delegated, "
      "with the key of the cloud whose folder --data names.\n"
      "Example: tillsync pair invite --roster shop/main-street.roster --tenant-key shop/tenant.key");
  auto* file = i->add_option("--roster", a->roster, "The branch's roster file; gets the new member");
  auto* key = i->add_option("--tenant-key", a->tenant_key, "The tenant's key file");
  file->needs(key);
  key->needs(file);
  i->add_option("--listen", a->listen, "HOST:PORT to wait on")->capture_default_str();
  i->add_option("--cloud", a->cloud, "The cloud's HOST:PORT, for the new till's till.toml");
  i->add_option("--branch", a->branch, "At a cloud that serves several: which")->excludes(file);
  add_asked(i, a->whom);
  i->callback([a] { a->roster.empty() ? invite_by_cloud(*a) : invite_by_tenant(*a); });
  CLI::App* j = pair->add_subcommand("join",
                                     "Join with the code.\nExample: tillsync pair join --data /var/lib/shop/till-2 "
                                     "--code 7KQ2-M9TD-4XWB --at 192.168.1.10:7790");
  j->add_option("--data", a->data, "The new till's data folder")->required();
  j->add_option("--code", a->code, "The code that the inviting side shows")->required();
  j->add_option("--at", a->at, "HOST:PORT of the inviting side")->required();
  j->callback([a] { run_join(*a); });
}

}  // namespace tillsync::cli
