#include "engine/till/journal_replay.hpp"

#include <utility>

#include "storage/base/mutants.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/op_codec.hpp"

namespace tillsync {

void JournalReplay::run(Recovered recovered, const std::function<void(const Op&)>& durable, Actions& out) {
  for (const JournalDamage& damage : recovered.report.damage) report(damage, out);
  if (mutated(Mutant::forget_tail)) recovered.tail.clear();
  std::vector<Op> orphans;  // behind the damage
  for (Bytes& bytes : recovered.tail) {
    auto op = decode_op(bytes);
    if (!op || op->chain.till != context_.self()) continue;
    const Hash hash = blake2b(bytes);
    if (!orphans.empty() || !log_.replay(*op, hash, std::move(bytes))) {
      orphans.push_back(std::move(*op));
      continue;
    }
    if (op->kind == OpKind::incarnation) follow_incarnation(*op);
    durable(*op);
  }
  const bool unnamed = !forks_.empty() && log_.last().seq == Seq{};  // the crash came before its first op
  if (unnamed) repair_.record_incarnation();
  log_.on_replayed(recovered.report.end, !orphans.empty());
  if (!orphans.empty()) reissue(std::move(orphans), out);
}

void JournalReplay::report(const JournalDamage& damage, Actions& out) const {
  const std::string where =
      "segment " + std::to_string(damage.at.segment) + ", offset " + std::to_string(damage.at.offset);
  if (damage.behind_flush) {
    out.alarm("the journal is damaged at " + where + " (" + std::to_string(damage.bytes) +
              " bytes): what the host or the cloud holds of it comes back by itself; run 'tillsync journal verify'");
  } else {
    out.warn("an unfinished end of the journal at " + where + " was set aside in " + damage.set_aside +
             ": usually a sale that was never confirmed; check the last receipts before the restart");
  }
}

// The first op of a history that follows a fork names the fork.
void JournalReplay::follow_incarnation(const Op& op) {
  const auto fork = unpack<ForkState>(op.body);
  if (!fork || fork->old_incarnation.value == 0) return;
  if (forks_.find(fork->old_incarnation) == nullptr) forks_.add(*fork);
  forks_.count();
  acks_.on_new_incarnation();
}

void JournalReplay::reissue(std::vector<Op> orphans, Actions& out) {
  repair_.begin("the journal is damaged", out);
  for (Op& op : orphans) {
    op.origin = Origin{op.chain.incarnation, op.seq, op.hlc};
    if (op.kind != OpKind::incarnation && !log_.history().find(op.key)) log_.record_own(std::move(op));
  }
}

}  // namespace tillsync
