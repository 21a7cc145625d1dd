#include "engine/cloud/lease_desk.hpp"

namespace tillsync {

namespace {

const Ballot* ballot_of(const Message& message) {
  if (const auto* m = std::get_if<PreVote>(&message)) return &m->ballot;
  if (const auto* m = std::get_if<RequestGrant>(&message)) return &m->ballot;
  return nullptr;
}

const Certificate* certificate_of(const Message& message) {
  if (const auto* command = std::get_if<Command>(&message)) return &command->certificate;
  if (const auto* announce = std::get_if<Announce>(&message)) return &*announce->certificate;
  return nullptr;
}

// Null when a lease message is sound: of this branch, by its sender, and signed as the roster says.
const char* fault_in(const Roster& roster, const TillId& from, const Message& message) {
  const Member* member = roster.find(from);
  if (member == nullptr || member->role != Role::till) return "it is no till of the branch";
  if (const Ballot* ballot = ballot_of(message)) {
    if (ballot->branch != roster.branch || ballot->candidate != from) return "a ballot in another's name";
    if (member->votes == 0) return "a ballot of one who has no vote";
    if (ballot->duration_ms > Roster::kMaxLeaseMs) return "a ballot for a longer lease than there are";
  }
  const auto* request = std::get_if<RequestGrant>(&message);
  if (request != nullptr &&
      !PublicKey::from_bytes(member->key)->verify(request->ballot.grant_bytes(from), request->signature))
    return "a request with a wrong signature";
  const Certificate* certificate = certificate_of(message);
  if (certificate == nullptr) return nullptr;
  if (certificate->ballot.candidate != from) return "another's certificate";
  if (certificate->ballot.roster_version != roster.version) return "a certificate of another version of the roster";
  return certificate->valid_for(roster) ? nullptr : "a certificate that does not hold";
}

}  // namespace

bool LeaseDesk::is_lease(const Message& m) {
  return std::holds_alternative<PreVote>(m) || std::holds_alternative<RequestGrant>(m) ||
         std::holds_alternative<Release>(m) || std::holds_alternative<Announce>(m) ||
         std::holds_alternative<Command>(m);
}

LeaseDesk::Verdict LeaseDesk::take(const Roster& roster, const TillId& from, Message message) {
  const auto* announce = std::get_if<Announce>(&message);
  if (announce != nullptr && !announce->certificate) return {};  // provisional: of no weight here
  if (const char* fault = fault_in(roster, from, message)) {
    const auto* command = std::get_if<Command>(&message);
    return {{}, fault, command == nullptr ? std::nullopt : std::optional<Message>(Commanded{command->nonce, fault})};
  }
  if (announce != nullptr) {
    const auto [known, first] = leaders_.try_emplace({roster.keys.id(), roster.branch}, *announce->certificate);
    const Ballot before = known->second.ballot, now = announce->certificate->ballot;
    known->second = *announce->certificate;
    if (!first && before.term == now.term && before.roster_version == now.roster_version) return {};  // renewed
  }
  const Member* self = roster.cloud();
  const bool asks_for_a_vote = announce == nullptr && !std::holds_alternative<Command>(message);
  if (asks_for_a_vote && (self == nullptr || self->votes == 0)) return {};  // whoever asks gets the newer roster
  const TillId me = self != nullptr ? self->name : TillId{};
  return {LeaseAsk{std::move(message), from, me, roster.version, roster.epoch}, nullptr, {}};
}

const Certificate* LeaseDesk::leader(const BranchKey& branch) const {
  const auto it = leaders_.find(branch);
  return it == leaders_.end() ? nullptr : &it->second;
}

void LeaseDesk::sign(Message& answer) const {
  if (auto* grant = std::get_if<Grant>(&answer))
    grant->signature = Binary(key_.sign(grant->ballot.grant_bytes(grant->grantor)));
}

}  // namespace tillsync
