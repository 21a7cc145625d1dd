#include "lease/messages.hpp"

#include "storage/base/pack.hpp"

namespace tillsync {

Bytes Ballot::grant_bytes(const TillId& grantor) const {
  return "tillsync lease grant 1:" + grantor.text + ":" + pack(*this);
}

bool Certificate::valid_for(const Roster& roster) const {
  if (ballot.branch != roster.branch || ballot.roster_version != roster.version) return false;
  const Member* candidate = roster.find(ballot.candidate);
  if (candidate == nullptr || candidate->role != Role::till) return false;
  std::uint32_t votes = 0;
  bool asked = false;  // the candidate's own grant is its request
  const TillId* previous = nullptr;
  for (const Signed& grant : grants) {
    if (previous != nullptr && !(*previous < grant.grantor)) return false;  // sorted, so nobody counts twice
    previous = &grant.grantor;
    const Member* member = roster.find(grant.grantor);
    if (member == nullptr || is_person(member->role)) return false;
    if (!PublicKey::from_bytes(member->key)->verify(ballot.grant_bytes(grant.grantor), grant.signature)) return false;
    votes += member->votes;
    asked = asked || grant.grantor == ballot.candidate;
  }
  return asked && votes >= roster.majority();
}

bool TwoGrants::proves(const Roster& roster) const {
  const Member* member = roster.find(grantor);
  const bool disagree = first.branch == roster.branch && second.branch == roster.branch && first.term == second.term &&
                        first.candidate != second.candidate;
  if (member == nullptr || !disagree) return false;
  const auto key = PublicKey::from_bytes(member->key);
  return key->verify(first.grant_bytes(grantor), first_signature) &&
         key->verify(second.grant_bytes(grantor), second_signature);
}

}  // namespace tillsync
