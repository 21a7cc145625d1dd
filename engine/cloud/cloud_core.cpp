#include "engine/cloud/cloud_core.hpp"

#include <algorithm>
#include <iterator>

#include "engine/validate.hpp"

namespace tillsync {

namespace {

// A branch reads the tenant's feed, its own, and those of its groups: whether it is in a group is looked up later.
bool may_read(const BranchKey& branch, const std::string& feed) {
  return feed == "tenant" || feed == "branch/" + branch.branch.text || feed.starts_with("group/");
}

std::vector<TillId> tills_in(const Roster* roster) {
  std::vector<TillId> out;
  if (roster == nullptr) return out;
  for (const Member& member : roster->members) {
    if (member.role == Role::till) out.push_back(member.name);
  }
  return out;
}

}  // namespace

CloudCore::CloudCore(SecretKey key, std::size_t lanes, RateLimits limits, Policies policies)
    : key_(key),
      policies_(std::make_shared<const Policies>(std::move(policies))),
      admission_(limits),
      leases_(key),
      scheduler_(lanes) {}

CloudActions CloudCore::on_roster(const Roster& roster) {
  CloudActions out;
  (void)admission_.take(roster, out);
  return out;
}

CloudActions CloudCore::on_peer_up(Now, PeerId id, const BranchKey& branch, const TillId& name,
                                   std::uint32_t protocol) {
  CloudActions out;
  admission_.add(id, {branch, name, protocol}, out);
  return out;
}

void CloudCore::on_peer_down(PeerId peer) {
  admission_.remove(peer);
  readers_.leave(peer);
}

CloudActions CloudCore::on_message(Now now, PeerId from, Message message) {
  CloudActions out;
  if (admission_.find(from) == nullptr) return out;
  if (!admission_.admit_message(now, from, scheduler_.queued() >= JobScheduler::kMaxQueuedAsks, out)) return out;
  dispatch(now, from, message, out);
  start_jobs(now, out);
  return out;
}

void CloudCore::dispatch(Now now, PeerId from, Message& message, CloudActions& out) {
  const Admission::Peer& peer = *admission_.find(from);
  const BranchKey& branch = peer.branch;
  if (auto* offer = std::get_if<HistoryOffer>(&message)) {
    scheduler_.add({from, branch, std::move(*offer)});
  } else if (auto* push = std::get_if<Push>(&message)) {
    take_push(now, from, std::move(*push), out);
  } else if (auto* fetch = std::get_if<Fetch>(&message)) {
    scheduler_.add({from, branch, std::move(*fetch)});
  } else if (auto* pull = std::get_if<Pull>(&message)) {
    take_pull(from, branch, std::move(*pull));
  } else if (const auto* ping = std::get_if<Ping>(&message)) {
    out.sends.push_back({from, Pong{ping->nonce, now.wall_ms, true}});
  } else if (const auto* progress = std::get_if<Progress>(&message)) {
    if (admission_.admit_progress(from, *progress)) scheduler_.add({from, branch, *progress});
  } else if (const auto* roster = std::get_if<NewRoster>(&message)) {
    take_roster(branch, *roster, out);
  } else if (auto* evidence = std::get_if<TwoGrants>(&message)) {
    take_evidence(from, branch, std::move(*evidence), out);
  } else if (LeaseDesk::is_lease(message)) {
    take_lease(from, peer, message, out);
  }
}

void CloudCore::take_push(Now now, PeerId from, Push push, CloudActions& out) {
  const bool read_now = scheduler_.queued() < kReadAhead;
  auto admitted = admission_.admit_push(now, from, std::move(push), read_now, out);
  if (admitted) scheduler_.add({from, admission_.find(from)->branch, std::move(*admitted)});
}

void CloudCore::take_pull(PeerId from, const BranchKey& branch, Pull pull) {
  std::erase_if(pull.feeds, [&](const std::string& feed) { return !may_read(branch, feed); });
  readers_.leave(from);
  scheduler_.add({from, branch, std::move(pull)});
}

void CloudCore::take_roster(const BranchKey& branch, const NewRoster& brought, CloudActions& out) {
  const auto roster = Roster::decode(brought.roster);
  if (!roster || BranchKey{roster->keys.id(), roster->branch} != branch)
    return admission_.refusals().count(branch, Refused::unreadable);
  keep_roster({}, branch, *roster, out);
}

void CloudCore::keep_roster(ReplyTo to, const BranchKey& branch, const Roster& roster, CloudActions& out) {
  const bool news = admission_.take(roster, out);
  if (news || to != ReplyTo{}) scheduler_.add({{}, branch, KeepRoster{*admission_.roster_of(branch)}, to});
}

void CloudCore::take_evidence(PeerId from, const BranchKey& branch, TwoGrants evidence, CloudActions& out) {
  const Roster* roster = admission_.roster_of(branch);
  if (roster == nullptr || !evidence.proves(*roster))
    return admission_.ignore(from, "a proof of two grants that proves nothing", Refused::bad_signature, out);
  scheduler_.add({from, branch, std::move(evidence)});
}

void CloudCore::take_lease(PeerId from, const Admission::Peer& peer, Message& message, CloudActions& out) {
  const Roster* roster = admission_.roster_of(peer.branch);
  if (roster == nullptr) return;
  LeaseDesk::Verdict verdict = leases_.take(*roster, peer.name, std::move(message));
  if (verdict.answer) out.sends.push_back({from, std::move(*verdict.answer)});
  if (verdict.fault != nullptr) admission_.ignore(from, verdict.fault, Refused::bad_signature, out);
  if (verdict.ask) scheduler_.add({from, peer.branch, std::move(*verdict.ask)});
}

CloudActions CloudCore::on_request(Now now, ReplyTo to, const BranchKey& branch, CloudRequest request) {
  CloudActions out;
  if (to != ReplyTo{} && scheduler_.queued() >= JobScheduler::kMaxQueuedAsks) {
    reply({to, fail(ErrorKind::busy, "the cloud has more to do than it can: try again in a minute")}, out);
    return out;
  }
  if (auto* rows = std::get_if<ImportBatch>(&request)) {  // the tenant's branches share them
    scheduler_.add({{}, {branch.tenant, {}}, ImportRows{std::move(*rows)}, to});
  } else if (auto* settlement = std::get_if<SettlementDraft>(&request)) {
    take_settlement(to, branch, std::move(*settlement), out);
  } else {
    keep_roster(to, branch, std::get<Roster>(request), out);
  }
  start_jobs(now, out);
  return out;
}

void CloudCore::take_settlement(ReplyTo to, const BranchKey& branch, SettlementDraft settlement, CloudActions& out) {
  if (auto valid = validate(settlement.draft); !valid) return reply({to, tl::unexpected(valid.error())}, out);
  auto said = read_resolution(settlement.draft.document, settlement.draft.cashier);
  if (settlement.draft.kind != OpKind::resolution || !said)
    return reply({to, fail(ErrorKind::invalid, "only a conflict can be settled here")}, out);
  SettleConflict ask{std::move(settlement.draft), std::move(*said), std::move(settlement.name), key_};
  scheduler_.add({{}, branch, std::move(ask), to});
}

void CloudCore::reply(CloudReply reply, CloudActions& out) {
  if (reply.to != ReplyTo{}) return out.replies.push_back(std::move(reply));
  if (!reply.outcome)
    out.notices.push_back({Notice::Weight::error, "a roster is not stored: " + reply.outcome.error().for_log()});
}

CloudActions CloudCore::on_unreadable(PeerId from) {
  CloudActions out;
  if (admission_.find(from) == nullptr) return out;
  admission_.ignore(from, "it can't be read: cut short, or changed", Refused::unreadable, out);
  out.hang_up.push_back(from);
  return out;
}

CloudActions CloudCore::on_done(Now now, std::size_t lane, Result<CloudAnswers> outcome) {
  if (!outcome) return job_failed(now, lane, outcome.error());
  CloudActions out;
  const JobScheduler::Ended ended = scheduler_.ended(lane);
  if (ended.had_failed) out.notices.push_back({Notice::Weight::info, "the cloud's database works again"});
  ++counters_.jobs;
  counters_.ops += outcome->counts.appended;
  counters_.duplicates += outcome->counts.duplicates;
  counters_.conflicts += outcome->counts.conflicts;
  if (outcome->began_anew) announce_reset(*outcome, out);
  for (auto& answer : outcome->answers) {
    if (admission_.find(answer.to) == nullptr) continue;
    leases_.sign(answer.message);
    out.sends.push_back({answer.to, std::move(answer.message)});
  }
  for (CloudReply& each : outcome->replies) reply(std::move(each), out);
  for (const auto& refused : outcome->refused) admission_.let_go(refused, out);
  for (CloudAsk& pull : outcome->waiting) {
    if (admission_.find(pull.from) != nullptr) readers_.park(std::move(pull));
  }
  wake_readers(ended.missed);
  out.jobs = on_rows_changed(now, outcome->changed).jobs;
  return out;
}

// An unreachable or full database dead-letters nothing: the same job again, and nobody was answered.
CloudActions CloudCore::job_failed(Now now, std::size_t lane, const Error& why) {
  CloudActions out;
  if (scheduler_.failed(now, lane, why))
    out.notices.push_back({Notice::Weight::error, "the cloud's database failed: " + why.for_log()});
  return out;
}

// Once a connection, before anything else that the record knows.
void CloudCore::announce_reset(const CloudAnswers& answers, CloudActions& out) {
  std::optional<CloudReset> announcement;
  const auto announce = [&](PeerId id) {
    if (!admission_.must_hear_of_reset(id)) return;
    if (!announcement) {
      announcement = answers.began_anew;
      announcement->signature = Binary(key_.sign(announcement->signed_part()));
    }
    out.sends.push_back({id, *announcement});
  };
  for (const auto& answer : answers.answers) announce(answer.to);
  for (const CloudAsk& pull : answers.waiting) announce(pull.from);
}

CloudActions CloudCore::on_rows_changed(Now now, const ChangedFeeds& feeds) {
  CloudActions out;
  scheduler_.on_rows_changed(feeds);
  wake_readers(feeds);
  start_jobs(now, out);
  return out;
}

void CloudCore::wake_readers(const ChangedFeeds& feeds) {
  for (CloudAsk& pull : readers_.wake(feeds)) scheduler_.add(std::move(pull));
}

CloudActions CloudCore::on_wake(Now now) {
  CloudActions out;
  start_jobs(now, out);
  return out;
}

CloudStatus CloudCore::status() const {
  const Admission::Totals totals = admission_.totals();
  return {counters_, totals.refused, totals.connections, scheduler_.trouble()};
}

void CloudCore::start_jobs(Now now, CloudActions& out) {
  out.jobs = scheduler_.start(now, [this](CloudJob& job) {
    job.policies = policies_;
    for (const CloudAsk& ask : job.asks) {
      if (!job.tills.contains(ask.branch)) job.tills[ask.branch] = tills_in(admission_.roster_of(ask.branch));
    }
  });
}

}  // namespace tillsync
