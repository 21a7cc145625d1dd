// Who hosts, as one till sees it: the lease that it holds or follows, and the certificate of an exclusive one. A lease
// that has run out counts for nothing, also before anybody has dropped it.
#pragma once

#include <optional>
#include <tillsync/time.hpp>

#include "lease/grantor.hpp"
#include "lease/messages.hpp"

namespace tillsync {

enum class LeaseKind : std::uint8_t { none, provisional, exclusive };

struct LeaseView {
  LeaseKind kind = LeaseKind::none;
  TillId host;
  Term term;
  Instant since;
  Instant until;
};

class HostView {
 public:
  explicit HostView(TillId self) : self_(std::move(self)) {}

  LeaseView at(Instant now) const;  // what holds at `now`
  bool hosts(Instant now) const;    // this till does
  bool ran_out(Instant now) const;  // and was not dropped yet
  // An exclusive host that is alive, as far as is known, and is not this candidate: it has no vote meanwhile.
  std::optional<Refusal> live_host_besides(const TillId& candidate, Instant now) const;

  const LeaseView& lease() const { return lease_; }  // the last one, until it is dropped
  bool own() const { return lease_.kind != LeaseKind::none && lease_.host == self_; }
  bool is(LeaseKind kind, const TillId& host) const { return lease_.kind == kind && lease_.host == host; }
  const std::optional<Certificate>& certificate() const { return certificate_; }

  // `lease.since` is kept from before when kind and host are the same as before.
  void take(LeaseView lease, std::optional<Certificate> certificate);
  void extend(Instant until) { lease_.until = until; }
  void drop();

  // Of this till's own lease.
  bool renewal_is_due(Instant now) const { return hosts(now) && now >= renew_at_; }
  void renew_at(Instant at) { renew_at_ = at; }
  Instant next_wake() const;  // the highest instant when there is nothing to wait for

 private:
  TillId self_;
  LeaseView lease_;
  std::optional<Certificate> certificate_;
  Instant renew_at_;
};

}  // namespace tillsync
