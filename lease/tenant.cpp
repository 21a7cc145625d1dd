#include "lease/tenant.hpp"

#include <algorithm>

#include "storage/base/pack.hpp"

namespace tillsync {

TenantKeys TenantKeys::founded(const PublicKey& signing, const PublicKey& recovery) {
  TenantKeys keys;
  keys.history_.push_back({Binary(signing.view()), Binary(recovery.view()), false, {}, {}});
  return keys;
}

std::string TenantKeys::id() const {
  return history_.empty() ? "" : blake2b("tillsync tenant 1:" + pack(history_.front())).hex();
}

PublicKey TenantKeys::key(Binary KeyChange::*which) const {
  if (history_.empty()) return {};
  return PublicKey::from_bytes(history_.back().*which).value_or(PublicKey{});
}

std::uint64_t TenantKeys::era() const {
  return static_cast<std::uint64_t>(std::ranges::count_if(history_, &KeyChange::recovered));
}

// All that came before, and the new keys: a change fits in one place of one history only.
Bytes TenantKeys::signed_part(std::size_t change) const {
  Packed<KeyChange> all{{history_.begin(), history_.begin() + static_cast<std::ptrdiff_t>(change) + 1}};
  all.all.back().by_former.clear();
  all.all.back().by_new.clear();
  return "tillsync keys 1:" + pack(all);
}

bool TenantKeys::append(const SecretKey& former, const SecretKey& next, const PublicKey& recovery, bool recovered) {
  if (history_.empty() || changes() >= kMaxChanges) return false;
  const Binary& allows = recovered ? history_.back().recovery : history_.back().signing;
  if (allows != former.public_key().view()) return false;
  history_.push_back({Binary(next.public_key().view()), Binary(recovery.view()), recovered, {}, {}});
  const Bytes what = signed_part(changes());
  history_.back().by_former = Binary(former.sign(what));
  history_.back().by_new = Binary(next.sign(what));
  return true;
}

bool TenantKeys::rotate(const SecretKey& former, const SecretKey& next) {
  return append(former, next, recovery(), false);
}

bool TenantKeys::recover(const SecretKey& recovery, const SecretKey& next, const PublicKey& next_recovery) {
  return append(recovery, next, next_recovery, true);
}

bool TenantKeys::valid() const {
  if (history_.empty() || changes() > kMaxChanges) return false;
  const KeyChange& first = history_.front();
  if (first.recovered || !first.by_former.empty() || !first.by_new.empty()) return false;
  for (std::size_t i = 0; i < history_.size(); ++i) {
    const KeyChange& now = history_[i];
    const auto signing = PublicKey::from_bytes(now.signing);
    if (!signing || !PublicKey::from_bytes(now.recovery)) return false;
    if (i == 0) continue;
    const KeyChange& before = history_[i - 1];
    if (!now.recovered && now.recovery != before.recovery) return false;
    const auto former = PublicKey::from_bytes(now.recovered ? before.recovery : before.signing);
    const Bytes what = signed_part(i);
    if (!former->verify(what, now.by_former) || !signing->verify(what, now.by_new)) return false;
  }
  return true;
}

bool TenantKeys::follow(const TenantKeys& known) const {
  if (history_.empty() || known.history_.empty() || !(history_.front() == known.history_.front())) return false;
  if (era() != known.era()) return era() > known.era();
  return history_.size() >= known.history_.size() &&
         std::equal(known.history_.begin(), known.history_.end(), history_.begin());
}

}  // namespace tillsync
