// The branch's members, signed by the tenant. Whoever holds it can tell members from strangers and check a certificate,
// offline. It changes one version at a time; the newest validly signed one wins everywhere it arrives. Between two
// versions a delegated key (the cloud's, as a rule) may let tills join, without a vote and one by one.
#pragma once

#include <optional>
#include <string>
#include <tillsync/ids.hpp>
#include <vector>

#include "lease/keys.hpp"
#include "lease/tenant.hpp"

namespace tillsync {

// A manager's key may ask; that of support may settle conflicts as well. Neither votes, records or relays.
enum class Role : std::uint8_t { till = 0, cloud = 1, manager = 2, support = 3 };
constexpr bool is_person(Role role) { return role == Role::manager || role == Role::support; }

struct Member {
  TillId name;
  Binary key;  // Ed25519 public key, 32 bytes
  Role role = Role::till;
  std::uint32_t votes = 1;  // 0 or 1; a cloud that has one is a witness, which never hosts
  Binary joined{};          // the delegated key's signature, of a till that joined between two versions
  template <class A>
  void fields(A& a) {
    a(name, key, role, votes, joined);
  }
};

struct Roster {
  std::string tenant;  // for people
  TenantKeys keys;     // whose signing key the signature is checked against
  BranchId branch;
  std::uint64_t version = 1;      // versions and epochs of an era of the keys are kPerEra * era() and up
  std::uint32_t lease_ms = 3000;  // L, 1,000 to 60,000
  std::uint64_t epoch = 0;        // rises with each emergency: what was granted before counts no more
  bool frozen = false;            // an emergency that nobody has confirmed: no lease is exclusive
  std::int64_t issued_ms = 0;     // by the signing machine's clock, for people
  Binary pairing_key;             // the delegated key, or empty
  std::vector<Member> members;    // sorted by name
  Binary signature;               // of all but those who joined

  static constexpr std::size_t kMaxMembers = 200;
  static constexpr std::uint32_t kMinLeaseMs = 1000, kMaxLeaseMs = 60000;
  static constexpr std::uint64_t kPerEra = 1'000'000;

  template <class A>
  void fields(A& a) {
    a(tenant, keys, branch, version, lease_ms, epoch, frozen, issued_ms, pairing_key, members, signature);
  }

  const Member* find(const TillId& name) const;
  const Member* find_key(ByteView key) const;
  const Member* find_x25519(ByteView key) const;
  const Member* cloud() const;
  std::uint32_t votes_of(const TillId& name) const;
  std::uint32_t total_votes() const;
  std::uint32_t quorum() const { return total_votes() / 2 + 1; }
  std::uint32_t majority() const;  // that a lease needs: more than there are while the roster is frozen

  Bytes encoded() const;
  // Nothing unless well-formed, in bounds and validly signed by the key it names.
  static std::optional<Roster> decode(ByteView bytes);
  // Takes over a newer version of the same branch, or who has joined meanwhile; false when there is nothing to take.
  bool take(const Roster& other);

  void add(Member member);  // keeps the order
  void sign(const SecretKey& tenant);
  void join(const TillId& till, const Binary& key, const SecretKey& pairing);

 private:
  Bytes signed_part() const;
  Bytes join_part(const Member& member) const;
  bool well_formed() const;
  bool sound(const Member& member) const;
};

}  // namespace tillsync
