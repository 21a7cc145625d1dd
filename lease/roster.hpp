// The branch's members, signed by the tenant. Whoever holds it can tell members from strangers and check a certificate,
// offline. It changes one version at a time; the newest validly signed one wins everywhere it arrives.
#pragma once

#include <optional>
#include <string>
#include <tillsync/ids.hpp>
#include <vector>

#include "lease/keys.hpp"
#include "storage/mutants.hpp"

namespace tillsync {

enum class Role : std::uint8_t { till = 0, cloud = 1, manager = 2 };  // a manager's key may ask, and nothing else

struct Member {
  TillId name;
  Binary key;  // Ed25519 public key, 32 bytes
  Role role = Role::till;
  std::uint32_t votes = 1;  // 0 or 1; a cloud that has one is a witness, which never hosts
  template <class A>
  void fields(A& a) {
    a(name, key, role, votes);
  }
};

struct Roster {
  std::string tenant;  // for people
  Binary tenant_key;   // 32 bytes: what the signature is checked against
  BranchId branch;
  std::uint64_t version = 1;
  std::uint32_t lease_ms = 3000;  // L, 1,000 to 60,000
  std::uint64_t epoch = 0;        // rises with each emergency: what was granted before counts no more
  bool frozen = false;            // an emergency that nobody has confirmed: no lease is exclusive
  std::int64_t issued_ms = 0;     // by the signing machine's clock, for people
  std::vector<Member> members;    // sorted by name
  Binary signature;

  static constexpr std::size_t kMaxMembers = 200;
  static constexpr std::uint32_t kMinLeaseMs = 1000, kMaxLeaseMs = 60000;

  template <class A>
  void fields(A& a) {
    a(tenant, tenant_key, branch, version, lease_ms, epoch, frozen, issued_ms, members, signature);
  }

  const Member* find(const TillId& name) const;
  const Member* find_key(ByteView key) const;
  const Member* find_x25519(ByteView key) const;
  const Member* cloud() const;
  std::uint32_t votes_of(const TillId& name) const;
  std::uint32_t total_votes() const;
  std::uint32_t quorum() const { return total_votes() / 2 + 1; }
  std::uint32_t majority() const;  // that a lease needs: more than there are while the roster is frozen
  std::string tenant_hex() const;

  Bytes encoded() const;
  // Nothing unless well-formed, in bounds and validly signed by the key it names.
  static std::optional<Roster> decode(ByteView bytes);
  void add(Member member);  // keeps the order
  void sign(const SecretKey& tenant);

 private:
  Bytes signed_part() const;
};

}  // namespace tillsync
