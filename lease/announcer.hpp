// What a host announces to whom: the certificate to each peer once in a term and version of the roster, after that only
// that the lease is renewed.
#pragma once

#include <map>
#include <optional>
#include <tillsync/time.hpp>

#include "lease/host_view.hpp"

namespace tillsync {

class Announcer {
 public:
  Announce announcement(Instant now, const TillId& peer, const HostView& host, std::uint32_t fitness);
  void forget(const TillId& peer) { shown_.erase(peer); }  // it may have missed the certificate
  // Forgets the peer, unless it was shown the certificate less than `pause` ago; then false.
  bool show_again(Instant now, const TillId& peer, Duration pause);

 private:
  struct Shown {
    Term term;
    std::uint64_t roster_version = 0;
    Instant at;
  };
  std::map<TillId, Shown> shown_;
};

}  // namespace tillsync
