#include "engine/till/fork_claims.hpp"

#include <algorithm>
#include <utility>

#include "engine/till/fork_repair.hpp"

namespace tillsync {

ForkClaims::ForkClaims(const TillContext& context, const LocalLog& log, const ForkList& forks)
    : context_(context), log_(log), forks_(forks) {}

// A till that tells of forks again and again is ill or lies. One that went back in time itself was started anew, and
// counts anew.
bool ForkClaims::claim(const Peer& by, std::string why, Actions& out) {
  if (!by.is_cloud() && !why_) {
    unsigned& times = believed_[by.name];
    if (times == kForksOnClaim)
      out.alarm(by.name.text +
                " tells again and again of sales of this till that there never were: it is not heeded "
                "any more; look at it, or take it out of the roster");
    times = std::min(times + 1, kForksOnClaim + 1);
    if (times > kForksOnClaim) return false;
  }
  why_ = std::move(why);
  return true;
}

std::optional<ChainId> ForkClaims::on_seen(const Peer& by, const Seen& seen, const std::vector<OldChain>& old_chains,
                                           Actions& out) {
  for (const ChainUpTo& each : seen.histories) {
    if (each.till == context_.self() && knows_nothing(old_chains)) return each.chain();
    if (each.chain() == log_.chain() && each.seq > log_.last().seq)
      claim(by, by.name.text + " has seen sales of this till that it has no more (was a backup restored?)", out);
    if (each.till == context_.self() && !knows(each.incarnation, old_chains)) lost_ = each.chain();
  }
  return std::nullopt;
}

bool ForkClaims::knows_nothing(const std::vector<OldChain>& old_chains) const {
  return log_.last().seq == Seq{} && log_.idle() && forks_.empty() && old_chains.empty();
}

bool ForkClaims::knows(Incarnation history, const std::vector<OldChain>& old_chains) const {
  if (history == log_.chain().incarnation) return true;
  if (std::ranges::find(old_chains, history, &OldChain::incarnation) != old_chains.end()) return true;
  if (forks_.is_lost(history) || forks_.find(history) != nullptr) return true;
  bool found = false;
  context_.store.view().all_ops(history, Seq{0},
                                [&](Incarnation first, Seq, ByteView) { return found = first == history, false; });
  return found;
}

// A lost history is left once in a run, since two machines with one key would go on and on.
void ForkClaims::begin_if_possible(ForkRepair& repair, Actions& out) {
  if (log_.flushing()) return;
  if (lost_ && !left_lost_ && forks_.empty()) {
    left_lost_ = true;
    why_.reset();
    repair.leave_lost(*std::exchange(lost_, {}), out);
  }
  if (why_) repair.begin(*std::exchange(why_, {}), out);
}

}  // namespace tillsync
