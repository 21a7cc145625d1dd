#include "lease/host_view.hpp"

#include <algorithm>

#include "storage/base/mutants.hpp"

namespace tillsync {

LeaseView HostView::at(Instant now) const {
  return now < lease_.until || mutated(Mutant::never_expire) ? lease_ : LeaseView{};
}

bool HostView::hosts(Instant now) const { return own() && now < lease_.until; }

bool HostView::ran_out(Instant now) const {
  return lease_.kind != LeaseKind::none && now >= lease_.until && !mutated(Mutant::never_expire);
}

std::optional<Refusal> HostView::live_host_besides(const TillId& candidate, Instant now) const {
  if (at(now).kind != LeaseKind::exclusive || lease_.host == candidate) return std::nullopt;
  return Refusal{lease_.term, lease_.host, lease_.until - now};
}

void HostView::take(LeaseView lease, std::optional<Certificate> certificate) {
  if (is(lease.kind, lease.host)) lease.since = lease_.since;
  lease_ = std::move(lease);
  certificate_ = std::move(certificate);
}

void HostView::drop() {
  lease_ = {};
  certificate_.reset();
}

Instant HostView::next_wake() const {
  if (lease_.kind == LeaseKind::none) return Instant{Duration::max()};
  return own() ? std::min(lease_.until, renew_at_) : lease_.until;
}

}  // namespace tillsync
