// The core's side of a branch's lease: what a till says of it is checked here, and decided by the Witness in a
// transaction.
#include "engine/cloud/cloud_core.hpp"

namespace tillsync {

namespace {
constexpr std::size_t kMaxTold = 10'000;
}

void CloudCore::refuse(const Peer& peer, const std::string& why, CloudActions& out, Refused reason) {
  refusals_.count(peer.shop, reason);
  if (told_.size() < kMaxTold && told_.insert({peer.shop, peer.name.text + why}).second)
    out.notices.push_back({Notice::Weight::warning, "ignored a message of " + peer.name.text + " of branch " +
                                                        peer.shop.branch.text + ": " + why +
                                                        " (more of them are only counted)"});
}

// Null when a lease message is sound: of this branch, by its sender, and signed as the roster says.
const char* CloudCore::fault_in(const Peer& peer, const Roster& roster, const Message& message) const {
  const Ballot* ballot = nullptr;
  if (const auto* m = std::get_if<PreVote>(&message)) ballot = &m->ballot;
  if (const auto* m = std::get_if<RequestGrant>(&message)) ballot = &m->ballot;
  const Member* member = roster.find(peer.name);
  if (member == nullptr || member->role != Role::till) return "it is no till of the branch";
  if (ballot != nullptr) {
    if (ballot->branch != roster.branch || ballot->candidate != peer.name) return "a ballot in another's name";
    if (member->votes == 0) return "a ballot of one who has no vote";
    if (ballot->duration_ms > Roster::kMaxLeaseMs) return "a ballot for a longer lease than there are";
  }
  const auto* request = std::get_if<RequestGrant>(&message);
  if (request != nullptr &&
      !PublicKey::from_bytes(member->key)->verify(ballot->grant_bytes(peer.name), request->signature))
    return "a request with a wrong signature";
  const auto* announce = std::get_if<Announce>(&message);
  const auto* command = std::get_if<Command>(&message);
  const Certificate* certificate = command != nullptr    ? &command->certificate
                                   : announce != nullptr ? &*announce->certificate
                                                         : nullptr;
  if (certificate == nullptr) return nullptr;
  if (certificate->ballot.candidate != peer.name) return "another's certificate";
  if (certificate->ballot.roster_version != roster.version) return "a certificate of another version of the roster";
  return certificate->valid_for(roster) ? nullptr : "a certificate that does not hold";
}

void CloudCore::take_lease(const Peer& peer, PeerId from, Message& message, CloudActions& out) {
  const auto found = rosters_.find(peer.shop);
  if (found == rosters_.end()) return;
  const Roster& roster = found->second;
  const auto* announce = std::get_if<Announce>(&message);
  if (announce != nullptr && !announce->certificate) return;  // provisional: of no weight here
  if (const char* fault = fault_in(peer, roster, message)) {
    if (const auto* command = std::get_if<Command>(&message))
      out.sends.push_back({from, Commanded{command->nonce, fault}});
    return refuse(peer, fault, out);
  }
  if (announce != nullptr) {
    const auto known = leaders_.find(peer.shop);
    const Ballot& ballot = announce->certificate->ballot;
    const bool renewed = known != leaders_.end() && known->second.ballot.term == ballot.term &&
                         known->second.ballot.roster_version == ballot.roster_version;
    leaders_[peer.shop] = *announce->certificate;
    if (renewed) return;
  }
  const Member* self = roster.cloud();
  const bool asks_for_a_vote = announce == nullptr && !std::holds_alternative<Command>(message);
  if (asks_for_a_vote && (self == nullptr || self->votes == 0)) return;  // whoever asks gets the newer roster
  const TillId me = self != nullptr ? self->name : TillId{};
  queue_.push_back({from, peer.shop, LeaseAsk{std::move(message), peer.name, me, roster.version, roster.epoch}});
}

CloudActions CloudCore::on_unreadable(PeerId from) {
  CloudActions out;
  const auto it = peers_.find(from);
  if (it == peers_.end()) return out;
  refuse(it->second, "it can't be read: cut short, or changed", out, Refused::unreadable);
  out.hang_up.push_back(from);
  return out;
}

// A grant is signed when what it promises is durable.
void CloudCore::send_answer(PeerId to, Message message, CloudActions& out) {
  if (auto* grant = std::get_if<Grant>(&message))
    grant->signature = Binary(key_.sign(grant->ballot.grant_bytes(grant->grantor)));
  out.sends.push_back({to, std::move(message)});
}

}  // namespace tillsync
