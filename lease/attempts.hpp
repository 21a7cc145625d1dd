// When this till tries to be elected. The fitter tills try first, so that a split vote is rare; where the network is
// slower than that head start chance takes over: the longer nobody wins, the wider it spreads (Ongaro and Ousterhout
// 2014, 9.3).
#pragma once

#include <algorithm>
#include <set>
#include <tillsync/ids.hpp>
#include <tillsync/time.hpp>

#include "storage/base/random.hpp"

namespace tillsync {

class Attempts {
 public:
  Instant next() const { return next_; }
  void at(Instant next) { next_ = next; }
  void no_later_than(Instant next) { next_ = std::min(next_, next); }
  void no_earlier_than(Instant next) { next_ = std::max(next_, next); }

  // How long a till waits before it tries, when `rank` of those connected are fitter.
  Duration patience(unsigned rank, Random& random) const {
    return milliseconds(5 + 12 * std::min(rank, 10U)) +
           milliseconds(random.below(std::uint64_t{8} << std::min(lost_, 6U)));
  }

  // A pre-vote was denied: of a promise that binds for `remaining` more. Waiting as long as the promise that stands in
  // the way, and no longer, is what makes a failover prompt.
  void on_denial(Instant now, Duration remaining, Duration patience) {
    if (now < named_until_) {
      next_ = now + milliseconds(15);  // the host's release is still on its way to the one that denied
    } else if (remaining > Duration::zero()) {
      no_later_than(now + std::max<Duration>(remaining + patience, milliseconds(10)));
    }
  }
  // The last host named this till its successor.
  void on_named(Instant now, Duration valid_for) {
    named_until_ = now + valid_for;
    next_ = now;
  }
  void on_lost() { ++lost_; }
  void on_host() {  // somebody hosts, this till or another
    lost_ = 0;
    yielded_.clear();
  }
  // Another candidate goes first, once since somebody last hosted: the second time it may be deaf.
  bool yields_to(const TillId& candidate) { return yielded_.insert(candidate).second; }

 private:
  Instant next_;
  Instant named_until_;
  unsigned lost_ = 0;  // attempts since somebody last hosted
  std::set<TillId> yielded_;
};

}  // namespace tillsync
