// Whether this till's own history forked, going by what others say that they hold or have seen of it. Nobody signs what
// he says to hold of another's history: a till is believed a few times, the cloud always.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/till/fork_list.hpp"
#include "engine/till/local_log.hpp"
#include "engine/till/peer_table.hpp"

namespace tillsync {

class ForkRepair;

class ForkClaims {
 public:
  static constexpr unsigned kForksOnClaim = 3;  // of one till, in a run; a real fork needs one

  ForkClaims(const TillContext& context, const LocalLog& log, const ForkList& forks);

  // True if it is believed: the history is to fork, for this reason.
  bool claim(const Peer& by, std::string why, Actions& out);
  // Others have seen ops of this till. The history that it is to follow, if it has none of its own at all.
  std::optional<ChainId> on_seen(const Peer& by, const Seen& seen, const std::vector<OldChain>& old_chains,
                                 Actions& out);
  // Begins what was believed. A fork waits until no flush is in flight: the ops in it belong to the old history.
  void begin_if_possible(ForkRepair& repair, Actions& out);

 private:
  bool knows_nothing(const std::vector<OldChain>& old_chains) const;
  bool knows(Incarnation history, const std::vector<OldChain>& old_chains) const;

  const TillContext& context_;
  const LocalLog& log_;
  const ForkList& forks_;
  std::map<TillId, unsigned> believed_;  // forks of this run, on a till's claim
  std::optional<std::string> why_;       // of the fork to begin
  std::optional<ChainId> lost_;          // to be left, since this disk does not have it
  bool left_lost_ = false;
};

}  // namespace tillsync
