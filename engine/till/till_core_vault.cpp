// How long this till keeps its own ops: in the vault for enquiries and to give a restored cloud back what it lost, in
// the journal as the black box. Nothing goes before the cloud holds it.
#include <algorithm>

#include "engine/till/till_core.hpp"
#include "storage/base/mutants.hpp"
#include "storage/model/op_codec.hpp"

namespace tillsync {

// Oldest first, of each history; what the cloud's watermark names stays, as the proof that both mean the same.
void TillCore::prune_vault(Now now, TillView& view, StoreBatch& batch) {
  if (!prunes(now)) return;
  next_prune_ = now.mono + std::clamp<Duration>(config_.keep_ops / 100, kShortestPrune, kLongestPrune);
  const std::int64_t before = corrected(now) - to_ms(config_.keep_ops);
  std::size_t dropped = 0;
  std::optional<Incarnation> at = Incarnation{0};
  while (at && dropped < kPruneOps) {
    std::optional<Incarnation> history;
    view.all_ops(*at, Seq{0}, [&](Incarnation each, Seq, ByteView) { return history = each, false; });
    at = history ? std::optional(Incarnation{history->value + 1}) : std::nullopt;
    if (!history) break;
    const bool current = *history == log_.chain().incarnation;
    const bool open = std::ranges::find(state_.old_chains, *history, &OldChain::incarnation) != state_.old_chains.end();
    const Seq limit =
        current ? mutated(Mutant::forget_unsent) ? log_.last().seq : state_.cloud.seq : Seq{open ? 0 : ~0ULL};
    std::optional<std::pair<ChainPoint, std::string>> oldest;  // goes when another follows: a history stays known
    view.ops(*history, Seq{1}, [&](Seq seq, ByteView bytes) {
      const auto op = decode_op(bytes);
      if (!op || seq >= limit || op->hlc.millis() > before || dropped == kPruneOps) return false;
      if (oldest) {
        const auto& [point, key] = *oldest;
        const auto place = view.find_key(key);
        const bool its_own = place && place->incarnation == *history && place->seq == point.seq;
        batch.vault_drop(*history, point.seq, its_own ? &key : nullptr);
        if (current) state_.let_go.value = point;
        ++dropped;
      }
      oldest.emplace(ChainPoint{seq, blake2b(bytes)}, op->key);
      return true;
    });
  }
  if (dropped == kPruneOps) next_prune_ = now.mono;
}

// What the vault has behind the branch that a fork is settled with was re-issued: it goes, or it would pass for a part
// of what the cloud holds. True once nothing of it is left, durably.
bool TillCore::drop_left_behind(const ForkState& fork) {
  if (!adopted_.empty() || batch_) return false;
  std::size_t behind = 0;
  store_.view().ops(fork.old_incarnation, fork.adopted.seq.next(), [&](Seq seq, ByteView bytes) {
    auto op = decode_op(bytes);
    if (!op) return true;
    ++behind;
    const auto newest = log_.find(op->key);
    const bool its_own = newest && newest->op.chain == op->chain && newest->op.seq == seq;
    if (its_own && op->kind != OpKind::incarnation) {  // fetched from a host, and the cloud does not have it
      if (log_.writing(op->key)) return true;
      op->origin = Origin{fork.old_incarnation, seq, op->hlc};
      log_.record_own(std::move(*op));
    } else {
      adopted_.vault_drop(fork.old_incarnation, seq, its_own ? &op->key : nullptr);
    }
    return behind < kPruneOps;
  });
  return behind == 0;
}

// What the vault has not any more can't be compared, and an old word is no news. But a cloud that began anew, or says
// it twice, went back to before what tills keep: this till goes on in a new history, with what it has.
void TillCore::on_below_vault(const Peer& peer, const Ack& m, Actions& out) {
  if (m.level != Level::cloud) return;
  const bool doubted = state_.cloud.seq < state_.let_go.value.seq;
  if (!doubted && peer.role != Role::cloud) return;
  if (!doubted && !std::exchange(told_below_vault_, true)) return void(ask_again_.insert(log_.chain()));
  if (!believes_in_fork(peer, out)) return;
  told_below_vault_ = false;
  state_.cloud = m.point;
  fork_wanted_ = "the cloud lacks sales that this till has let go (was a very old backup restored?)";
}

std::uint32_t TillCore::retirable(const std::vector<JournalSegment>& segments, Now now) const {
  std::uint32_t last = 0;
  for (std::size_t i = 0; i + 1 < segments.size(); ++i) {
    // All of a segment is older than the first op of the next one.
    const bool all_there = i + 2 == segments.size() && segments[i + 1].first_op.empty() && log_.idle() &&
                           state_.last == log_.last() && unsent_count() == 0 && state_.forks.empty();
    if (all_there && log_.hlc().millis() <= corrected(now) - to_ms(config_.keep_journal)) return segments[i].number;
    const auto next = decode_op(segments[i + 1].first_op);
    if (!next || segments[i + 1].number > state_.checkpoint.segment) break;
    const bool in_cloud = next->chain == log_.chain() ? next->seq <= state_.cloud.seq.next()
                                                      : state_.forks.empty() && state_.old_chains.empty();
    if (!in_cloud || next->hlc.millis() > corrected(now) - to_ms(config_.keep_journal)) break;
    last = segments[i].number;
  }
  return last;
}

bool TillCore::should_rotate(const JournalSegment& newest, Now now) const {
  const auto first = decode_op(newest.first_op);
  return first && first->hlc.millis() <= corrected(now) - to_ms(config_.keep_journal);
}

}  // namespace tillsync
