#include "transport/cloud/cloud_control.hpp"

#include "transport/cloud/cloud_answers.hpp"

namespace tillsync {

namespace {

api::CloudStatus status_of(const CloudRuntime& cloud, const CloudCore& core) {
  api::CloudStatus out;
  const CloudStatus status = core.status();
  const CloudCounters& n = status.counters;
  out.key = cloud.key().hex(), out.port = cloud.port(), out.connections = status.connections;
  out.ops = n.ops, out.duplicates = n.duplicates, out.conflicts = n.conflicts, out.refused = status.refused;
  for (const auto& [shop, roster] : core.rosters()) {
    out.shops.push_back({roster.tenant, shop.tenant, shop.branch.text, roster.version, {}});
    if (const Certificate* lease = core.leader(shop))
      out.shops.back().host = {lease->ballot.candidate.text, lease->ballot.term};
  }
  return out;
}

void take_roster(CloudRuntime& cloud, const api::TakeRosterRequest& q, const api::Reply<api::RosterTaken>& reply) {
  const auto roster = Roster::decode(q.roster.bytes);
  if (!roster) return reply(fail(ErrorKind::invalid, "this is no roster signed by its tenant"));
  cloud.take_roster(*roster, [&cloud, roster = *roster, reply](const Result<void>& taken) {
    if (!taken) return reply(tl::unexpected(taken.error()));
    const Roster& mine = cloud.core().rosters().at(BranchKey{roster.keys.id(), roster.branch});
    reply(api::RosterTaken{mine.branch.text, mine.version, mine.signature == roster.signature});
  });
}

void roster_held(CloudRuntime& cloud, const api::Asker& asker, const api::RosterHeldRequest& q,
                 const api::Reply<api::RosterHeld>& reply) {
  const auto shop = shop_of(cloud.core(), asker, q);
  if (!shop) return reply(tl::unexpected(shop.error()));
  const Roster& roster = cloud.core().rosters().at(*shop);
  reply(api::RosterHeld{roster.version, {roster.encoded()}, {}, {}});
}

}  // namespace

std::vector<BranchKey> shops_of(const CloudCore& core, const api::Asker& asker, const api::OfBranch& q) {
  std::vector<BranchKey> found;
  for (const auto& [shop, roster] : core.rosters()) {
    if (asker.shops && std::ranges::find(*asker.shops, shop) == asker.shops->end()) continue;
    if ((q.branch.empty() || shop.branch.text == q.branch) && (q.tenant.empty() || shop.tenant.starts_with(q.tenant)))
      found.push_back(shop);
  }
  return found;
}

Result<BranchKey> shop_of(const CloudCore& core, const api::Asker& asker, const api::OfBranch& q) {
  const std::vector<BranchKey> found = shops_of(core, asker, q);
  if (found.size() == 1) return found.front();
  return found.empty()
             ? fail(ErrorKind::not_found, "this cloud has no such branch: 'tillsync status --data FOLDER' lists them")
             : fail(ErrorKind::invalid, "several branches fit: name one with --branch (and --tenant)");
}

Result<std::string> tenant_of(const CloudCore& core, const api::Asker& asker, const std::string& wanted, bool or_all) {
  if (!asker.tenant.empty()) return asker.tenant;
  if (asker.key != api::Key::none) return fail(ErrorKind::refused, "this key is of no tenant");
  if (wanted.empty() && or_all) return std::string();
  std::set<std::string> found;
  for (const auto& [shop, roster] : core.rosters()) {
    if (wanted.empty() || roster.tenant == wanted || shop.tenant.starts_with(wanted)) found.insert(shop.tenant);
  }
  if (found.size() == 1) return *found.begin();
  return found.empty() ? fail(ErrorKind::not_found,
                              "this cloud serves no such tenant: 'tillsync status --data FOLDER' lists them")
                       : fail(ErrorKind::invalid, "several tenants fit: name one with --tenant");
}

std::shared_ptr<const api::Answering> answers_of(CloudRuntime& cloud) {
  auto answers = std::make_shared<api::Answering>();
  answers->on<api::CloudStatusRequest>(
      [&cloud](const auto&) -> Result<api::CloudStatus> { return status_of(cloud, cloud.core()); });
  answers->on_later<api::TakeRosterRequest>(
      [&cloud](const api::Asker&, const auto& q, const auto& reply) { take_roster(cloud, q, reply); });
  answers->on_later<api::RosterHeldRequest>(
      [&cloud](const api::Asker& asker, const auto& q, const auto& reply) { roster_held(cloud, asker, q, reply); });
  answer_branches(*answers, cloud);
  answer_conflicts(*answers, cloud);
  answer_operators(*answers, cloud);
  answers->complete<api::CloudQuestions>("cloud");
  return answers;
}

ControlHandler cloud_control(CloudRuntime& cloud) { return for_user(answers_of(cloud)); }

}  // namespace tillsync
