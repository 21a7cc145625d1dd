#include "engine/cloud/admission.hpp"

#include <utility>

#include "engine/cloud/rights.hpp"
#include "engine/wire/open_push.hpp"

namespace tillsync {

bool Admission::take(const Roster& roster, CloudActions& out) {
  const BranchKey branch{roster.keys.id(), roster.branch};
  const auto [it, first] = rosters_.try_emplace(branch, roster);
  if (!first && !it->second.take(roster)) return false;
  const Roster& newest = it->second;
  for (const auto& [id, peer] : peers_) {
    if (peer.branch != branch) continue;
    if (newest.find(peer.name) == nullptr) {
      out.hang_up.push_back(id);
    } else {
      out.sends.push_back({id, NewRoster{Binary(newest.encoded())}});
    }
  }
  return true;
}

const Roster* Admission::roster_of(const BranchKey& branch) const {
  const auto it = rosters_.find(branch);
  return it == rosters_.end() ? nullptr : &it->second;
}

void Admission::add(PeerId id, Peer peer, CloudActions& out) {
  const Roster* roster = roster_of(peer.branch);
  peers_[id] = std::move(peer);
  if (roster != nullptr) out.sends.push_back({id, NewRoster{Binary(roster->encoded())}});
}

const Admission::Peer* Admission::find(PeerId id) const {
  const auto it = peers_.find(id);
  return it == peers_.end() ? nullptr : &it->second;
}

bool Admission::must_hear_of_reset(PeerId id) {
  const auto it = peers_.find(id);
  return it != peers_.end() && !std::exchange(it->second.heard_of_reset, true);
}

bool Admission::admit_message(Now now, PeerId from, bool overloaded, CloudActions& out) {
  Peer& peer = peers_.at(from);
  const Allowance& allowed = limits_.rates().messages;
  const bool storm = peer.messages.wait(now.mono, allowed, 1) > Duration::zero();
  if (storm || overloaded) {
    out.hang_up.push_back(from);
    refusals_.count(peer.branch, storm ? Refused::too_fast : Refused::overloaded);
    return false;
  }
  peer.messages.take(now.mono, allowed, 1);
  return true;
}

const Member* Admission::member(const BranchKey& branch, const TillId& name) const {
  const Roster* roster = roster_of(branch);
  return roster == nullptr ? nullptr : roster->find(name);
}

std::optional<VerifiedPush> Admission::admit_push(Now now, PeerId from, Push push, bool read_now, CloudActions& out) {
  const BranchKey& branch = peers_.at(from).branch;
  const auto refuse = [&](Refused why, const std::string& sentence) {
    let_go({from, branch, why, sentence}, out);
    return std::nullopt;
  };
  const Member* author = member(branch, push.chain.till);
  if (author == nullptr) return refuse(Refused::not_in_roster, "a push of a till that is not in the roster");
  if (!may(author->role, Right::sync) && !may(author->role, Right::settle_conflicts))
    return refuse(Refused::not_allowed, kMayNotPush);
  const auto verified = verify_push(push, branch.branch, *PublicKey::from_bytes(author->key));
  if (!verified) return refuse(Refused::bad_signature, verified.error().message);
  if (too_fast(now, from, push, out)) return std::nullopt;
  VerifiedPush admitted{std::make_shared<const PushReading>(std::move(push), branch.branch),
                        !may(author->role, Right::sync)};
  if (read_now) {
    out.to_read.push_back(admitted.reading);
    admitted.read_as = ++to_read_;
  }
  return admitted;
}

bool Admission::too_fast(Now now, PeerId from, const Push& push, CloudActions& out) {
  const Peer& peer = peers_.at(from);
  std::uint64_t bytes = 0;
  for (const Binary& op : push.ops) bytes += op.size();
  const Duration wait = limits_.take(now.mono, peer.branch, push.chain.till, push.ops.size(), bytes);
  if (wait == Duration::zero()) return false;
  refusals_.count(peer.branch, Refused::too_fast);
  if (peer.protocol < kBusySince) {
    out.hang_up.push_back(from);
  } else {
    out.sends.push_back({from, Busy{push.chain, static_cast<std::uint32_t>(to_ms(wait) + 1)}});
  }
  return true;
}

bool Admission::admit_progress(PeerId from, const Progress& progress) {
  const BranchKey& branch = peers_.at(from).branch;
  const Member* author = member(branch, progress.chain.till);
  if (author != nullptr && progress.valid(branch.branch, *PublicKey::from_bytes(author->key))) return true;
  refusals_.count(branch, Refused::bad_signature);
  return false;
}

void Admission::let_go(const CloudAnswers::Refusal& refused, CloudActions& out) {
  refusals_.count(refused.branch, refused.why);
  const Peer* peer = find(refused.from);
  if (peer == nullptr) return;
  out.notices.push_back({Notice::Weight::warning, "refused " + peer->name.text + ": " + refused.sentence});
  out.hang_up.push_back(refused.from);
}

void Admission::ignore(PeerId from, const std::string& why, Refused reason, CloudActions& out) {
  const Peer& peer = peers_.at(from);
  refusals_.count(peer.branch, reason);
  if (reported_.size() >= kMaxReported || !reported_.insert({peer.branch, peer.name.text + why}).second) return;
  out.notices.push_back({Notice::Weight::warning, "ignored a message of " + peer.name.text + " of branch " +
                                                      peer.branch.branch.text + ": " + why +
                                                      " (more of them are only counted)"});
}

}  // namespace tillsync
