// Brings a till's own history back at the start: from the journal's tail after the last checkpoint. Damage in it splits
// the history: what follows the hole is re-issued under a new incarnation, and what was in the hole comes back from
// whoever holds it.
#pragma once

#include <functional>
#include <vector>

#include "engine/till/fork_repair.hpp"
#include "storage/journal/journal.hpp"

namespace tillsync {

// What the journal held after the last checkpoint, in order.
struct Recovered {
  std::vector<Bytes> tail;
  JournalReport report;
};

class JournalReplay {
 public:
  JournalReplay(const TillContext& context, LocalLog& log, ForkList& forks, HistoryAcks& acks, ForkRepair& repair)
      : context_(context), log_(log), forks_(forks), acks_(acks), repair_(repair) {}

  // `durable` is called for each op that is back. What to tell people is in `out`.
  void run(Recovered recovered, const std::function<void(const Op&)>& durable, Actions& out);

 private:
  void report(const JournalDamage& damage, Actions& out) const;
  void follow_incarnation(const Op& op);
  void reissue(std::vector<Op> orphans, Actions& out);

  const TillContext& context_;
  LocalLog& log_;
  ForkList& forks_;
  HistoryAcks& acks_;
  ForkRepair& repair_;
};

}  // namespace tillsync
