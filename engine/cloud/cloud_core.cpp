#include "engine/cloud/cloud_core.hpp"

#include <algorithm>
#include <iterator>

#include "engine/cloud/rights.hpp"

namespace tillsync {

namespace {
bool is_lease(const Message& m) {
  return std::holds_alternative<PreVote>(m) || std::holds_alternative<RequestGrant>(m) ||
         std::holds_alternative<Release>(m) || std::holds_alternative<Announce>(m) ||
         std::holds_alternative<Command>(m);
}
}  // namespace

CloudActions CloudCore::on_roster(const Roster& roster) {
  CloudActions out;
  const BranchKey shop{roster.keys.id(), roster.branch};
  const auto [it, first] = rosters_.try_emplace(shop, roster);
  if (!first && !it->second.take(roster)) return out;
  const Roster& mine = it->second;
  out.new_roster = {shop, mine};
  for (const auto& [id, peer] : peers_) {
    if (peer.shop != shop) continue;
    if (mine.find(peer.name) == nullptr) {
      out.hang_up.push_back(id);
    } else {
      out.sends.push_back({id, NewRoster{Binary(mine.encoded())}});
    }
  }
  return out;
}

const Certificate* CloudCore::leader(const BranchKey& shop) const {
  const auto it = leaders_.find(shop);
  return it == leaders_.end() ? nullptr : &it->second;
}

CloudActions CloudCore::on_peer_up(Now, PeerId id, const BranchKey& shop, const TillId& name, std::uint32_t protocol) {
  CloudActions out;
  peers_[id] = {shop, name, protocol, {}, false};
  const auto roster = rosters_.find(shop);
  if (roster != rosters_.end()) out.sends.push_back({id, NewRoster{Binary(roster->second.encoded())}});
  return out;
}

void CloudCore::on_peer_down(PeerId id) {
  peers_.erase(id);
  unpark(id);
}

CloudActions CloudCore::on_message(Now now, PeerId from, Message message) {
  CloudActions out;
  const auto it = peers_.find(from);
  if (it == peers_.end()) return out;
  Peer& peer = it->second;
  const Allowance& messages = limits_.rates().messages;
  const bool storm = peer.messages.wait(now.mono, messages, 1) > Duration::zero();
  if (storm || queue_.size() >= kMaxQueuedAsks) {
    out.hang_up.push_back(from);
    refusals_.count(peer.shop, storm ? Refused::too_fast : Refused::overloaded);
    return out;
  }
  peer.messages.take(now.mono, messages, 1);
  auto ask = [&](auto what) { queue_.push_back({from, peer.shop, std::move(what)}); };
  if (auto* offer = std::get_if<HistoryOffer>(&message)) {
    ask(std::move(*offer));
  } else if (auto* push = std::get_if<Push>(&message)) {
    take_push(now, peer, from, std::move(*push), out);
  } else if (auto* fetch = std::get_if<Fetch>(&message)) {
    ask(std::move(*fetch));
  } else if (auto* pull = std::get_if<Pull>(&message)) {
    std::erase_if(pull->feeds,
                  [&](const std::string& feed) {  // the tenant's, its own, and its groups': looked up later
                    return feed != "tenant" && feed != "branch/" + peer.shop.branch.text && !feed.starts_with("group/");
                  });
    unpark(from);
    ask(std::move(*pull));
  } else if (auto* ping = std::get_if<Ping>(&message)) {
    out.sends.push_back({from, Pong{ping->nonce, now.wall_ms, true}});
  } else if (const auto* progress = std::get_if<Progress>(&message)) {
    take_progress(peer, from, *progress);
  } else if (auto* roster = std::get_if<NewRoster>(&message)) {
    take_roster(peer, *roster, out);
  } else if (auto* evidence = std::get_if<TwoGrants>(&message)) {
    const auto of = rosters_.find(peer.shop);
    if (of == rosters_.end() || !evidence->proves(of->second)) {
      refuse(peer, "a proof of two grants that proves nothing", out);
    } else {
      ask(std::move(*evidence));
    }
  } else if (is_lease(message)) {
    take_lease(peer, from, message, out);
  }
  pump(now, out);
  return out;
}

void CloudCore::take_push(Now now, const Peer& peer, PeerId from, Push push, CloudActions& out) {
  const auto roster = rosters_.find(peer.shop);
  const Member* member = roster == rosters_.end() ? nullptr : roster->second.find(push.chain.till);
  if (member == nullptr)
    return let_go({from, peer.shop, Refused::not_in_roster, "a push of a till that is not in the roster"}, out);
  if (!may(member->role, Right::sync) && !may(member->role, Right::settle_conflicts))
    return let_go({from, peer.shop, Refused::not_allowed, kMayNotPush}, out);
  auto verified = verify_push(push, peer.shop.branch, *PublicKey::from_bytes(member->key));
  if (!verified) return let_go({from, peer.shop, Refused::bad_signature, verified.error().message}, out);
  if (too_fast(now, peer, from, push, out)) return;
  auto reading = std::make_shared<const PushReading>(std::move(push), peer.shop.branch);
  VerifiedPush kept{std::move(reading), !may(member->role, Right::sync)};
  if (queue_.size() < kReadAhead) {
    out.to_read.push_back(kept.reading);
    kept.read_as = ++to_read_;
  }
  queue_.push_back({from, peer.shop, std::move(kept)});
}

void CloudCore::let_go(const CloudAnswers::Refusal& refused, CloudActions& out) {
  refusals_.count(refused.shop, refused.why);
  const auto peer = peers_.find(refused.from);
  if (peer == peers_.end()) return;
  out.notices.push_back({Notice::Weight::warning, "refused " + peer->second.name.text + ": " + refused.sentence});
  out.hang_up.push_back(refused.from);
}

bool CloudCore::too_fast(Now now, const Peer& peer, PeerId from, const Push& push, CloudActions& out) {
  std::uint64_t bytes = 0;
  for (const Binary& op : push.ops) bytes += op.size();
  const Duration wait = limits_.take(now.mono, peer.shop, push.chain.till, push.ops.size(), bytes);
  if (wait == Duration::zero()) return false;
  refusals_.count(peer.shop, Refused::too_fast);
  if (peer.protocol < kBusySince) {
    out.hang_up.push_back(from);
  } else {
    out.sends.push_back({from, Busy{push.chain, static_cast<std::uint32_t>(to_ms(wait) + 1)}});
  }
  return true;
}

void CloudCore::take_progress(const Peer& peer, PeerId from, const Progress& m) {
  const auto roster = rosters_.find(peer.shop);
  const Member* member = roster == rosters_.end() ? nullptr : roster->second.find(m.chain.till);
  if (member == nullptr || !m.valid(peer.shop.branch, *PublicKey::from_bytes(member->key)))
    return refusals_.count(peer.shop, Refused::bad_signature);
  queue_.push_back({from, peer.shop, m});
}

void CloudCore::take_roster(const Peer& peer, const NewRoster& m, CloudActions& out) {
  auto roster = Roster::decode(m.roster);
  if (!roster || BranchKey{roster->keys.id(), roster->branch} != peer.shop)
    return refusals_.count(peer.shop, Refused::unreadable);
  CloudActions taken = on_roster(*roster);
  out.new_roster = std::move(taken.new_roster);
  std::move(taken.sends.begin(), taken.sends.end(), std::back_inserter(out.sends));
  std::move(taken.hang_up.begin(), taken.hang_up.end(), std::back_inserter(out.hang_up));
}

CloudActions CloudCore::on_done(Now now, std::size_t index, Result<CloudAnswers> outcome) {
  CloudActions out;
  Lane& lane = lanes_[index];
  lane.running = false;
  if (!outcome) {  // an unreachable or full database dead-letters nothing: the same job again, and nobody was answered
    if (!lane.retry_at)
      out.notices.push_back({Notice::Weight::error, "the cloud's database failed: " + outcome.error().for_log()});
    lane.retry_at = now.mono + lane.pause;
    lane.failed = outcome.error();
    lane.missed.reset();  // what it has changed so far is not known
    lane.pause = std::min<Duration>(lane.pause * 2, kLongestPause);
    return out;
  }
  if (lane.retry_at) out.notices.push_back({Notice::Weight::info, "the cloud's database works again"});
  const ChangedFeeds missed = std::exchange(lane, {}).missed;
  ++counters_.jobs;
  counters_.ops += outcome->counts.appended;
  counters_.duplicates += outcome->counts.duplicates;
  counters_.conflicts += outcome->counts.conflicts;
  if (outcome->began_anew) tell_of_restore(*outcome, out);
  for (auto& answer : outcome->answers) {
    if (peers_.contains(answer.to)) send_answer(answer.to, std::move(answer.message), out);
  }
  for (const auto& refused : outcome->refused) let_go(refused, out);
  for (CloudAsk& ask : outcome->waiting) {
    if (peers_.contains(ask.from)) park(std::move(ask));
  }
  wake_readers(missed);
  auto woken = on_rows_changed(now, outcome->changed);
  out.jobs = std::move(woken.jobs);
  return out;
}

// Once a connection, before anything else that the record knows.
void CloudCore::tell_of_restore(const CloudAnswers& answers, CloudActions& out) {
  std::optional<CloudReset> word;
  auto tell = [&](PeerId id) {
    const auto peer = peers_.find(id);
    if (peer == peers_.end() || std::exchange(peer->second.told_of_restore, true)) return;
    if (!word) {
      word = answers.began_anew;
      word->signature = Binary(key_.sign(word->signed_part()));
    }
    out.sends.push_back({id, *word});
  };
  for (const auto& answer : answers.answers) tell(answer.to);
  for (const CloudAsk& ask : answers.waiting) tell(ask.from);
}

std::optional<Instant> CloudCore::next_wake() const {
  std::optional<Instant> first;
  for (const Lane& lane : lanes_) {
    if (lane.retry_at && !lane.running && (!first || *lane.retry_at < *first)) first = lane.retry_at;
  }
  return first;
}

std::optional<Error> CloudCore::trouble() const {
  for (const Lane& lane : lanes_) {
    if (lane.failed) return lane.failed;
  }
  return std::nullopt;
}

void CloudCore::park(CloudAsk ask) {
  const PeerId peer = ask.from;
  unpark(peer);
  for (const std::string& feed : std::get<Pull>(ask.what).feeds) parked_by_feed_[{ask.shop.tenant, feed}].insert(peer);
  parked_.emplace(peer, std::move(ask));
}

std::optional<CloudAsk> CloudCore::unpark(PeerId peer) {
  auto parked = parked_.extract(peer);
  if (parked.empty()) return std::nullopt;
  for (const std::string& feed : std::get<Pull>(parked.mapped().what).feeds) {
    const auto waiting = parked_by_feed_.find({parked.mapped().shop.tenant, feed});
    if (waiting == parked_by_feed_.end()) continue;
    waiting->second.erase(peer);
    if (waiting->second.empty()) parked_by_feed_.erase(waiting);
  }
  return std::move(parked.mapped());
}

CloudActions CloudCore::on_rows_changed(Now now, const ChangedFeeds& feeds) {
  CloudActions out;
  for (Lane& lane : lanes_) {
    if (!lane.running || !lane.missed) continue;
    feeds ? lane.missed->insert(feeds->begin(), feeds->end()) : void(lane.missed.reset());
  }
  wake_readers(feeds);
  pump(now, out);
  return out;
}

void CloudCore::wake_readers(const ChangedFeeds& feeds) {
  std::set<PeerId> woken;
  if (feeds) {
    for (const CloudNews& feed : *feeds) {
      const auto waiting = parked_by_feed_.find(feed);
      if (waiting != parked_by_feed_.end()) woken.insert(waiting->second.begin(), waiting->second.end());
    }
  } else {
    for (const auto& [peer, ask] : parked_) woken.insert(peer);
  }
  for (PeerId peer : woken) queue_.push_back(std::move(*unpark(peer)));
}

CloudActions CloudCore::on_wake(Now now) {
  CloudActions out;
  pump(now, out);
  return out;
}

void CloudCore::name_tills(const BranchKey& shop, CloudJob& job) const {
  const auto roster = rosters_.find(shop);
  const auto [names, fresh] = job.tills.try_emplace(shop);
  if (!fresh || roster == rosters_.end()) return;
  for (const Member& m : roster->second.members) {
    if (m.role == Role::till) names->second.push_back(m.name);
  }
}

void CloudCore::pump(Now now, CloudActions& out) {
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    Lane& lane = lanes_[i];
    if (lane.running || (lane.retry_at && now.mono < *lane.retry_at)) continue;
    if (!lane.job) lane.job = next_job(now, lane);
    if (!lane.job) continue;
    lane.running = true;
    out.jobs.push_back({i, lane.job});
  }
}

// Branch by branch: what their asks share is written once.
std::shared_ptr<const CloudJob> CloudCore::next_job(Now now, const Lane& lane) {
  std::set<BranchKey> busy;
  for (const Lane& each : lanes_) {
    if (each.job) std::ranges::transform(each.job->asks, std::inserter(busy, busy.end()), &CloudAsk::shop);
  }
  const auto allowed = [&](const CloudAsk& ask) {
    if (std::holds_alternative<LeaseAsk>(ask.what)) return &lane == &lanes_.front();
    return !busy.contains(ask.shop);
  };
  CloudJob job;
  job.now = now;
  job.policies = policies_;
  std::size_t bytes = 0;
  while (bytes < kMaxJobBytes) {
    const auto first = std::ranges::find_if(queue_, allowed);
    if (first == queue_.end()) break;
    const BranchKey shop = first->shop;
    name_tills(shop, job);
    const std::size_t enough = std::min(bytes + kMaxShopBytes, kMaxJobBytes);
    std::erase_if(queue_, [&](CloudAsk& ask) {
      if (bytes >= enough || ask.shop != shop || !allowed(ask)) return false;
      if (const auto* verified = std::get_if<VerifiedPush>(&ask.what)) {
        bytes += verified->reading->bytes();
        job.reads = std::max(job.reads, verified->read_as);
      }
      job.asks.push_back(std::move(ask));
      return true;
    });
    busy.insert(shop);  // the rest of it comes next
  }
  return job.asks.empty() ? nullptr : std::make_shared<const CloudJob>(std::move(job));
}

}  // namespace tillsync
