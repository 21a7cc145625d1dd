#include "lease/roster.hpp"

#include <algorithm>

#include "storage/pack.hpp"

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
  return member == nullptr || member->role == Role::manager ? 0 : member->votes;
}

std::uint32_t Roster::total_votes() const {
  std::uint32_t sum = 0;
  for (const Member& m : members) sum += m.role == Role::manager ? 0 : m.votes;
  return sum;
}

std::uint32_t Roster::majority() const {
  const std::uint32_t total = total_votes();
  if (frozen) return total + 1;
  return total / 2 + (mutated(Mutant::minority_certificate) && total > 1 ? 0 : 1);
}

std::string Roster::tenant_hex() const { return PublicKey::from_bytes(tenant_key).value_or(PublicKey{}).hex(); }

Bytes Roster::signed_part() const {
  Roster bare = *this;
  bare.signature.clear();
  return "tillsync roster 1:" + pack(bare);
}

Bytes Roster::encoded() const { return pack(*this); }

std::optional<Roster> Roster::decode(ByteView bytes) {
  auto roster = unpack<Roster>(bytes, Reading::Extra::refuse);
  if (!roster || roster->members.size() > kMaxMembers) return std::nullopt;
  if (roster->lease_ms < kMinLeaseMs || roster->lease_ms > kMaxLeaseMs) return std::nullopt;
  for (std::size_t i = 0; i < roster->members.size(); ++i) {
    const Member& m = roster->members[i];
    if (m.key.size() != 32 || m.votes > 1 || (i > 0 && !(roster->members[i - 1].name < m.name))) return std::nullopt;
  }
  const auto key = PublicKey::from_bytes(roster->tenant_key);
  if (!key || !key->verify(roster->signed_part(), roster->signature)) return std::nullopt;
  return roster;
}

void Roster::add(Member member) {
  members.insert(std::upper_bound(members.begin(), members.end(), member,
                                  [](const Member& a, const Member& b) { return a.name < b.name; }),
                 std::move(member));
}

void Roster::sign(const SecretKey& tenant) {
  tenant_key = Binary(tenant.public_key().view());
  signature = Binary(tenant.sign(signed_part()));
}

}  // namespace tillsync
