#include "lease/roster.hpp"

#include <algorithm>
#include <set>

#include "storage/base/mutants.hpp"
#include "storage/base/pack.hpp"

namespace tillsync {

const Member* Roster::find(const TillId& name) const {
  const auto it = std::find_if(members.begin(), members.end(), [&](const Member& m) { return m.name == name; });
  return it == members.end() ? nullptr : &*it;
}

const Member* Roster::find_key(ByteView key) const {
  const auto it = std::find_if(members.begin(), members.end(), [&](const Member& m) { return m.key == key; });
  return it == members.end() ? nullptr : &*it;
}

const Member* Roster::find_x25519(ByteView key) const {
  const auto it = std::find_if(members.begin(), members.end(), [&](const Member& m) {
    const auto converted = PublicKey::from_bytes(m.key)->x25519();
    return converted && ByteView(reinterpret_cast<const char*>(converted->data()), converted->size()) == key;
  });
  return it == members.end() ? nullptr : &*it;
}

const Member* Roster::cloud() const {
  const auto it = std::find_if(members.begin(), members.end(), [](const Member& m) { return m.role == Role::cloud; });
  return it == members.end() ? nullptr : &*it;
}

std::uint32_t Roster::votes_of(const TillId& name) const {
  const Member* member = find(name);
  return member == nullptr || is_person(member->role) ? 0 : member->votes;
}

std::uint32_t Roster::total_votes() const {
  std::uint32_t sum = 0;
  for (const Member& m : members) sum += is_person(m.role) ? 0 : m.votes;
  return sum;
}

std::uint32_t Roster::majority() const {
  const std::uint32_t total = total_votes();
  if (frozen) return total + 1;
  return total / 2 + (mutated(Mutant::minority_certificate) && total > 1 ? 0 : 1);
}

Bytes Roster::signed_part() const {
  Roster bare = *this;
  std::erase_if(bare.members, [](const Member& m) { return !m.joined.empty(); });
  bare.signature.clear();
  return "tillsync roster 1:" + pack(bare);
}

// Of this version only: a till that the next one leaves out can't be let in again with an old signature.
Bytes Roster::join_part(const Member& member) const {
  Roster bare;
  bare.keys = keys, bare.branch = branch, bare.version = version, bare.epoch = epoch;
  bare.members = {member};
  bare.members.front().joined.clear();
  return "tillsync join 1:" + pack(bare);
}

bool Roster::sound(const Member& m) const {
  if (m.key.size() != 32 || m.votes > 1) return false;
  if (m.joined.empty()) return true;
  const auto delegate = PublicKey::from_bytes(pairing_key);
  return m.role == Role::till && m.votes == 0 && delegate && delegate->verify(join_part(m), m.joined);
}

bool Roster::well_formed() const {
  if (!keys.valid() || version / kPerEra != keys.era() || epoch / kPerEra != keys.era()) return false;
  if (lease_ms < kMinLeaseMs || lease_ms > kMaxLeaseMs || members.size() > kMaxMembers) return false;
  std::set<ByteView> seen;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i > 0 && !(members[i - 1].name < members[i].name)) return false;
    if (!seen.insert(members[i].key).second) return false;
  }
  return std::ranges::count(members, Role::cloud, &Member::role) <= 1;
}

Bytes Roster::encoded() const { return pack(*this); }

std::optional<Roster> Roster::decode(ByteView bytes) {
  auto roster = unpack<Roster>(bytes, Reading::Extra::refuse);
  if (!roster || !roster->well_formed()) return std::nullopt;
  if (!roster->keys.signing().verify(roster->signed_part(), roster->signature)) return std::nullopt;
  for (const Member& m : roster->members) {
    if (!roster->sound(m)) return std::nullopt;
  }
  return roster;
}

// Two who joined under one name at the same moment: the same one stays wherever both arrive.
bool Roster::take(const Roster& other) {
  if (other.branch != branch || !other.keys.follow(keys) || other.version < version) return false;
  if (other.version > version) return *this = other, true;
  if (other.signature != signature) return false;
  bool changed = false;
  for (const Member& m : other.members) {
    const Member* mine = find(m.name);
    if (m.joined.empty() || (mine != nullptr && (mine->joined.empty() || mine->key <= m.key))) continue;
    if (const Member* same = find_key(m.key); same != nullptr && same->name != m.name) continue;
    if (mine == nullptr && members.size() >= kMaxMembers) continue;
    std::erase_if(members, [&](const Member& old) { return old.name == m.name; });
    add(m);
    changed = true;
  }
  return changed;
}

void Roster::add(Member member) {
  members.insert(std::upper_bound(members.begin(), members.end(), member,
                                  [](const Member& a, const Member& b) { return a.name < b.name; }),
                 std::move(member));
}

void Roster::sign(const SecretKey& tenant) {
  for (Member& m : members) m.joined.clear();
  signature = Binary(tenant.sign(signed_part()));
}

void Roster::join(const TillId& till, const Binary& key, const SecretKey& pairing) {
  Member member{till, key, Role::till, 0, {}};
  member.joined = Binary(pairing.sign(join_part(member)));
  add(std::move(member));
}

}  // namespace tillsync
