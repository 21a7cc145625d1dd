#include "transport/cloud/cloud_runtime.hpp"

#include <sodium.h>

#include <algorithm>

#include "engine/cloud/roster_record.hpp"
#include "transport/api/in_message.hpp"
#include "transport/base/clock.hpp"
#include "transport/cloud/cloud_control.hpp"

namespace tillsync {

Result<std::unique_ptr<CloudRuntime>> CloudRuntime::open(Options options, Log log) {
  if (sodium_init() < 0) return fail(ErrorKind::io, "libsodium can't start: install it anew");
  auto files = CloudFiles::open(options, log);
  if (!files) return tl::unexpected(files.error());
  std::unique_ptr<CloudRuntime> runtime(new CloudRuntime(std::move(*files), options, std::move(log)));
  auto port =
      runtime->shell_.start(*runtime, runtime->key_, options.network ? std::optional(options.listen) : std::nullopt,
                            [cloud = runtime.get()](const auto& news) { cloud->hear(news); });
  if (!port) return tl::unexpected(port.error());
  runtime->port_ = *port;
  return runtime;
}

CloudRuntime::CloudRuntime(CloudFiles files, const Options& options, Log log)
    : folder_(std::move(files.folder)),
      key_(files.key),
      shell_(std::move(files.store), CloudCore(files.key, options.lanes(), options.limits, std::move(files.policies)),
             options.lanes(), options.store.empty() ? 1 : options.lanes() + 1, std::move(log)),
      rosters_(shell_, options.name, files.key.public_key()),
      people_(shell_, [this](const api::Asker& asker, const Question& question, api::JsonReply reply) {
        answers_of(*this)->ask(asker, api::question_of(question), std::move(reply));
      }) {
  randombytes_buf(&run_, sizeof run_);
  for (const Roster& roster : files.rosters) (void)shell_.core().on_roster(roster);
}

CloudRuntime::~CloudRuntime() { shell_.stop(); }

void CloudRuntime::take_roster(const Roster& roster, std::function<void(Result<void>)> done) {
  rosters_.take(roster, std::move(done));
}

void CloudRuntime::settle(const BranchKey& branch, OpDraft draft, std::function<void(Result<void>)> done) {
  SettlementDraft settlement{std::move(draft), rosters_.name_in(core().rosters().at(branch))};
  shell_.request(branch, std::move(settlement), [done = std::move(done)](const Result<std::uint64_t>& settled) {
    done(settled ? Result<void>() : tl::unexpected(settled.error()));
  });
}

void CloudRuntime::import(const std::string& tenant, ImportBatch batch,
                          std::function<void(Result<std::uint64_t>)> done) {
  shell_.request({tenant, {}}, std::move(batch), std::move(done));
}

// What other processes changed; of all of it, when some news may be missing.
void CloudRuntime::hear(const std::optional<CloudNews>& news) {
  if (!news || news->what == kRostersNews) rosters_.reload(news ? news->tenant : "");
  const ChangedFeeds changed = news ? ChangedFeeds(std::set{*news}) : std::nullopt;
  shell_.carry_out(core().on_rows_changed(read_clock(), changed));
}

Hello CloudRuntime::hello_to(const TillId*) {
  Hello hello;
  hello.name = rosters_.name();
  hello.branch = BranchId{"cloud"};
  hello.run = run_;
  return hello;
}

Result<PeerInfo> CloudRuntime::admit(const noise::Key& key, const Hello& hello) {
  auto refuse = [&](const BranchKey& branch, Refused why, const std::string& sentence) {
    shell_.core().refusals().count(branch, why);
    return fail(ErrorKind::refused, sentence);
  };
  auto brought = Roster::decode(hello.roster);
  if (!brought)
    return refuse({}, Refused::not_in_roster,
                  hello.name.text + " brought no valid roster: pair it with its branch first");
  const std::string tenant = brought->keys.id();
  const auto& rosters = shell_.core().rosters();
  const bool tenant_known =
      std::any_of(rosters.begin(), rosters.end(), [&](const auto& r) { return r.first.tenant == tenant; });
  if (!tenant_known) {
    return refuse({}, Refused::unknown_tenant,
                  "this cloud does not serve the tenant of " + hello.name.text +
                      ": its operator adds it with 'tillsync roster import'");
  }
  const BranchKey branch{tenant, brought->branch};
  if (auto version = agree(hello_to(nullptr), hello); !version)
    return refuse(rosters.contains(branch) ? branch : BranchKey{}, Refused::too_old, version.error().message);
  if (auto named = rosters_.check(*brought); !named) return tl::unexpected(named.error());
  rosters_.take_from_peer(*brought);
  const Roster& roster = rosters.at(branch);
  const Member* member = roster.find_x25519(noise::view(key));
  if (member == nullptr || member->name != hello.name || hello.branch != roster.branch) {
    return refuse(branch, Refused::not_in_roster,
                  hello.name.text + " is not in the newest roster of branch " + hello.branch.text +
                      ": pair it anew, or ask the manager why it was removed");
  }
  return PeerInfo{member->name, member->role, hello, {}, tenant, {}, rosters_.name_in(*brought)};
}

void CloudRuntime::on_up(PeerId id, const PeerInfo& peer) {
  const BranchKey branch{peer.shop_key, peer.hello.branch};
  if (is_person(peer.role)) {
    people_.on_up(id, branch, *shell_.core().rosters().at(branch).find(peer.name));
  } else {  // who looks on asks every few seconds
    shell_.log({Notice::Weight::info, peer.name.text + " of branch " + peer.hello.branch.text + " connected"});
  }
  shell_.carry_out(shell_.core().on_peer_up(read_clock(), id, branch, peer.name, peer.protocol));
}

void CloudRuntime::on_message(PeerId id, Message message) {
  if (people_.knows(id)) return people_.on_message(id, std::move(message));
  shell_.carry_out(shell_.core().on_message(read_clock(), id, std::move(message)));
}

void CloudRuntime::on_unreadable(PeerId id) { shell_.carry_out(shell_.core().on_unreadable(id)); }

void CloudRuntime::on_down(PeerId id) {
  people_.on_down(id);
  shell_.core().on_peer_down(id);
}

}  // namespace tillsync
