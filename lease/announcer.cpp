#include "lease/announcer.hpp"

#include "lease/grantor.hpp"

namespace tillsync {

Announce Announcer::announcement(Instant now, const TillId& peer, const HostView& host, std::uint32_t fitness) {
  const LeaseView& lease = host.lease();
  Announce out{lease.term, left_ms(lease.until - now), fitness, {}, false};
  if (!host.certificate()) return out;
  Shown& shown = shown_[peer];
  const std::uint64_t version = host.certificate()->ballot.roster_version;
  out.renewed = shown.term == lease.term && shown.roster_version == version;
  if (!out.renewed) {
    out.certificate = host.certificate();
    shown = {lease.term, version, now};
  }
  return out;
}

bool Announcer::show_again(Instant now, const TillId& peer, Duration pause) {
  const auto it = shown_.find(peer);
  if (it != shown_.end() && now - it->second.at < pause) return false;
  forget(peer);
  return true;
}

}  // namespace tillsync
