// Who the tenant is, for good, while its keys come and go. The tenant is named by the hash of the two keys it began
// with: the signing key, which signs rosters, and the recovery key, which lies elsewhere and signs nothing until the
// signing key is lost or stolen. A change of keys is signed by the key that allows it and by the new signing key, so
// that whoever holds the tenant's name can follow it from key to key, offline.
//
// The signing key may name its successor (`rotate`). Only the recovery key may change the recovery key (`recover`), and
// what it signs outranks whatever the signing key has signed since: each recovery opens a new era.
#pragma once

#include <string>
#include <vector>

#include "lease/keys.hpp"

namespace tillsync {

struct KeyChange {
  Binary signing, recovery;  // from here on; 32 bytes each
  bool recovered = false;    // allowed by the recovery key, not by the signing key
  Binary by_former, by_new;  // signatures
  bool operator==(const KeyChange&) const = default;
  template <class A>
  void fields(A& a) {
    a(signing, recovery, recovered, by_former, by_new);
  }
};

class TenantKeys {
 public:
  static constexpr std::size_t kMaxChanges = 40;

  TenantKeys() = default;
  static TenantKeys founded(const PublicKey& signing, const PublicKey& recovery);

  std::string id() const;  // 64 hexadecimal digits; the same for ever
  PublicKey signing() const { return key(&KeyChange::signing); }
  PublicKey recovery() const { return key(&KeyChange::recovery); }
  std::uint64_t era() const;  // how often the keys were recovered
  std::size_t changes() const { return history_.empty() ? 0 : history_.size() - 1; }

  bool rotate(const SecretKey& former, const SecretKey& next);  // false: `former` is not the signing key, or too many
  bool recover(const SecretKey& recovery, const SecretKey& next, const PublicKey& next_recovery);

  bool valid() const;
  // Whether who trusts `known` may trust these: the same tenant, and no step back or aside but by a recovery.
  bool follow(const TenantKeys& known) const;
  bool operator==(const TenantKeys&) const = default;

  template <class A>
  void fields(A& a) {
    a(history_);
  }

 private:
  PublicKey key(Binary KeyChange::*which) const;
  Bytes signed_part(std::size_t change) const;
  bool append(const SecretKey& former, const SecretKey& next, const PublicKey& recovery, bool recovered);
  std::vector<KeyChange> history_;  // the first has no signatures
};

}  // namespace tillsync
