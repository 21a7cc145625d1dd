#include "engine/till/fork_repair.hpp"

#include <algorithm>
#include <utility>

#include "storage/base/mutants.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/op_codec.hpp"

namespace tillsync {

namespace {
constexpr Duration kFetchAgain = seconds(5);  // unless it is answered sooner
constexpr Duration kSoon = milliseconds(100);
}  // namespace

ForkRepair::ForkRepair(const TillContext& context, LocalLog& log, ForkList& forks, HistoryAcks& acks,
                       DivergentReissue& reissue, StockView& stock, Random& random)
    : context_(context), log_(log), forks_(forks), acks_(acks), reissue_(reissue), stock_(stock), random_(random) {}

void ForkRepair::begin(const std::string& why, Actions& out) {
  ForkState fork;
  fork.old_incarnation = log_.chain().incarnation;
  fork.old_end = log_.last();
  fork.agreed = fork.adopted = fork.in_cloud = acks_.cloud();
  if (acks_.let_go().seq > Seq{}) fork.next_to_reissue = acks_.let_go().seq.next();  // what is older is gone
  cursor_ = {};
  reissue_.forget_all();
  log_.open_incarnation(Incarnation{random_.nonzero()});
  forks_.begin(fork);
  record_incarnation();
  acks_.on_new_incarnation();
  out.alarm("this till's history forked: " + why + "; it goes on selling, and both histories are kept");
}

void ForkRepair::leave_lost(const ChainId& lost, Actions& out) {
  begin("others have seen a history of this till that it has no more (was a backup restored?)", out);
  ForkState fork;
  fork.old_incarnation = lost.incarnation;
  forks_.add(fork);
  forks_.add_lost(lost.incarnation);
  record_incarnation();
}

void ForkRepair::follow_lost(const ChainId& lost, Actions& out) {
  ForkState fork;
  fork.old_incarnation = lost.incarnation;
  forks_.begin(fork);
  record_incarnation();
  out.alarm("this till's disk is empty, but it sold before: what the branch and the cloud hold of that comes back");
}

void ForkRepair::record_incarnation() {
  Op op;
  op.kind = OpKind::incarnation;
  op.key = "incarnation/" + context_.self().text + "/" + std::to_string(log_.chain().incarnation.value);
  op.body = pack(forks_.newest());
  log_.record_own(std::move(op));
}

void ForkRepair::on_durable(const Op& op) {
  ForkState* fork = op.origin ? forks_.find(op.origin->incarnation) : nullptr;
  const bool orphan = fork != nullptr && op.origin->seq > fork->old_end.seq;  // from behind damage: not in the row
  if (fork == nullptr || orphan) return;
  fork->next_to_reissue = std::max(fork->next_to_reissue, op.origin->seq.next());
  forks_.on_changed();
}

void ForkRepair::advance(const Moment& at, const Peer* up, const Checkpointer& checkpoints, Actions& out) {
  if (forks_.empty()) return;
  reissue_some(forks_.newest());
  if (at.mono() < fetch_at_) return;
  const ForkState& fork = forks_.newest();
  const bool comparing = fork.split.value == 0;
  const bool reissued = !comparing && cursor_ > fork.old_end.seq && log_.idle() && log_.history().pending().empty() &&
                        !checkpoints.in_flight();
  if (reissued && fork.next_to_reissue != cursor_) forks_.change_newest().next_to_reissue = cursor_;
  if ((!comparing && !reissued) || up == nullptr) return;
  const Seq from = comparing ? fork.agreed.seq.next() : fork.adopted.seq.next();
  out.send(up->id, Fetch{{context_.self(), fork.old_incarnation}, from});
  fetch_at_ = at.mono() + kFetchAgain;
}

// Once it is known where the two branches split: a few at a time, as the log takes them.
void ForkRepair::reissue_some(const ForkState& fork) {
  cursor_ = std::max(cursor_, fork.next_to_reissue);
  while (fork.split.value != 0 && cursor_ <= fork.old_end.seq && log_.waiting() < LocalLog::kMaxBatchOps) {
    auto old = log_.history().read(fork.old_incarnation, cursor_);
    cursor_ = cursor_.next();
    if (!old || old->op.kind == OpKind::incarnation || mutated(Mutant::skip_reissue)) continue;
    const Origin origin{fork.old_incarnation, old->op.seq, old->op.hlc};
    const auto newest = log_.history().find(old->op.key);
    if (newest && newest->op.origin == origin) continue;  // re-issued when this fork was first compared
    old->op.origin = origin;
    log_.record_own(std::move(old->op));
  }
}

void ForkRepair::on_fetched(const Moment& at, const Fetched& fetched, const Checkpointer& checkpoints, Actions& out) {
  if (forks_.empty() || fetched.chain.incarnation != forks_.newest().old_incarnation) return;
  if (!fetched.known) {
    fetch_at_ = at.mono() + kFetchAgain;
    return;
  }
  const ForkState& fork = forks_.newest();
  const bool comparing = fork.split.value == 0;
  // The comparison may have been asked for twice; ours must be on disk in their new places before the old ones go.
  if (!comparing && fork.next_to_reissue <= fork.old_end.seq) return;
  fetch_at_ = at.mono();
  comparing ? compare(fetched) : adopt(at, fetched, checkpoints, out);
}

// Walks both branches from the last point known to be shared.
void ForkRepair::compare(const Fetched& fetched) {
  if (fetched.from != forks_.newest().agreed.seq.next()) return;
  ForkState& fork = forks_.change_newest();
  for (const Binary& bytes : fetched.ops) {
    const Seq seq = fork.agreed.seq.next();
    const auto mine = seq <= fork.old_end.seq ? log_.history().read(fork.old_incarnation, seq) : std::nullopt;
    const Hash theirs = blake2b(bytes);
    if (!mine || mine->hash != theirs) {
      fork.split = seq;
      break;
    }
    fork.agreed = fork.adopted = {seq, theirs};
  }
  if (fork.split.value == 0 && fetched.ops.empty()) fork.split = fork.agreed.seq.next();
  if (fork.split.value != 0 && fork.next_to_reissue < fork.split) fork.next_to_reissue = fork.split;
}

void ForkRepair::adopt(const Moment& at, const Fetched& fetched, const Checkpointer& checkpoints, Actions& out) {
  if (fetched.from != forks_.newest().adopted.seq.next()) return;
  ForkState& fork = forks_.change_newest();
  for (const Binary& bytes : fetched.ops) {
    auto op = decode_op(bytes);
    const bool follows = op && op->chain == ChainId{context_.self(), fork.old_incarnation} &&
                         op->seq == fork.adopted.seq.next() && op->prev == fork.adopted.hash;
    if (!follows) return compare_anew(at, out);
    adopted_.vault_adopt(op->chain, op->seq, op->key, bytes, !log_.history().find(op->key).has_value());
    stock_.add_op(*op);
    fork.adopted = {op->seq, blake2b(bytes)};
  }
  if (!fetched.ops.empty()) return;
  const bool rebuilt = fork.old_incarnation == log_.chain().incarnation;  // no fork: engine/till/rebuilt_state.hpp
  if (!rebuilt && !drop_left_behind(fork, checkpoints)) {
    fetch_at_ = at.mono() + kSoon;
    return;
  }
  settle(rebuilt, out);
}

// The host held a branch of its own up to here, and the cloud another: compare with the cloud's.
void ForkRepair::compare_anew(const Moment& at, Actions& out) {
  ForkState& fork = forks_.change_newest();
  out.info("the host and the cloud hold different branches of this till's history: comparing anew");
  if (fork.adopted == fork.in_cloud) fork.in_cloud = {};  // it went back in time, and has not even that any more
  fork.agreed = fork.adopted = fork.in_cloud;
  fork.split = fork.next_to_reissue = cursor_ = {};
  fetch_at_ = at.mono() + kFetchAgain;
}

// What the vault has behind the branch that a fork is settled with was re-issued: it goes, or it would pass for a part
// of what the cloud holds. True once nothing of it is left, durably.
bool ForkRepair::drop_left_behind(const ForkState& fork, const Checkpointer& checkpoints) {
  if (!adopted_.empty() || checkpoints.unfinished()) return false;
  std::size_t behind = 0;
  context_.store.view().ops(fork.old_incarnation, fork.adopted.seq.next(), [&](Seq seq, ByteView bytes) {
    auto op = decode_op(bytes);
    if (!op) return true;
    ++behind;
    const auto newest = log_.history().find(op->key);
    const bool its_own = newest && newest->op.chain == op->chain && newest->op.seq == seq;
    if (its_own && op->kind != OpKind::incarnation) {  // fetched from a host, and the cloud does not have it
      if (log_.writing(op->key)) return true;
      op->origin = Origin{fork.old_incarnation, seq, op->hlc};
      log_.record_own(std::move(*op));
    } else {
      adopted_.vault_drop(fork.old_incarnation, seq, its_own ? &op->key : nullptr);
    }
    return behind < kMaxDropped;
  });
  return behind == 0;
}

void ForkRepair::settle(bool rebuilt, Actions& out) {
  const ForkState& fork = forks_.newest();
  if (!rebuilt && fork.adopted.seq > Seq{}) {
    acks_.add_old({fork.old_incarnation, fork.adopted, {}});
  } else if (!rebuilt && !forks_.is_lost(fork.old_incarnation)) {
    forks_.add_lost(fork.old_incarnation);  // nobody has any of it, and it stays known
  }
  out.info(rebuilt ? "this till has the older part of its history back from the cloud"
                   : "the fork is settled: this till has both branches of its history again");
  forks_.settle_newest();
  cursor_ = {};
}

Instant ForkRepair::next_wake(Instant now, Instant latest) const {
  return forks_.empty() ? latest : std::min(latest, std::max(fetch_at_, now + kSoon));
}

void ForkRepair::write(const Moment&, Checkpoint& into) {
  if (!adopted_.empty()) into.batch = std::exchange(adopted_, {});
}

}  // namespace tillsync
