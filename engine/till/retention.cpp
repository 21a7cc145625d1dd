#include "engine/till/retention.hpp"

#include <algorithm>
#include <utility>

#include "storage/base/mutants.hpp"
#include "storage/model/op_codec.hpp"

namespace tillsync {

Retention::Retention(const TillContext& context, const LocalLog& log, HistoryAcks& acks, const ForkList& forks)
    : context_(context), log_(log), acks_(acks), forks_(forks) {}

void Retention::write(const Moment& at, Checkpoint& into) {
  if (at.mono() < next_ || !forks_.empty()) return;
  const Duration keep = context_.config.keep_ops;
  next_ = at.mono() + std::clamp<Duration>(keep / 100, kShortestPause, kLongestPause);
  std::size_t dropped = 0;
  std::optional<Incarnation> from = Incarnation{0};
  while (from && dropped < kMaxDropped) {
    std::optional<Incarnation> history;
    into.view.all_ops(*from, Seq{0}, [&](Incarnation each, Seq, ByteView) { return history = each, false; });
    from = history ? std::optional(Incarnation{history->value + 1}) : std::nullopt;
    if (history) dropped += drop_old(*history, at.wall_ms - to_ms(keep), kMaxDropped - dropped, into);
  }
  if (dropped == kMaxDropped) next_ = at.mono();
}

// Oldest first. An op goes when another follows, so that the history stays known.
std::size_t Retention::drop_old(Incarnation history, std::int64_t before_ms, std::size_t at_most, Checkpoint& into) {
  const Seq limit = first_kept(history);
  std::size_t dropped = 0;
  std::optional<std::pair<ChainPoint, std::string>> oldest;
  into.view.ops(history, Seq{1}, [&](Seq seq, ByteView bytes) {
    const auto op = decode_op(bytes);
    if (!op || seq >= limit || op->hlc.millis() > before_ms || dropped == at_most) return false;
    if (oldest) {
      const auto& [point, key] = *oldest;
      const auto place = into.view.find_key(key);
      const bool its_own = place && place->incarnation == history && place->seq == point.seq;
      into.batch.vault_drop(history, point.seq, its_own ? &key : nullptr);
      if (history == log_.chain().incarnation) acks_.on_let_go(point);
      ++dropped;
    }
    oldest.emplace(ChainPoint{seq, blake2b(bytes)}, op->key);
    return true;
  });
  return dropped;
}

// What the cloud's watermark names stays, as the proof that both mean the same.
Seq Retention::first_kept(Incarnation history) const {
  if (history == log_.chain().incarnation) return mutated(Mutant::forget_unsent) ? log_.last().seq : acks_.cloud().seq;
  const bool open = std::ranges::find(acks_.old(), history, &OldChain::incarnation) != acks_.old().end();
  return Seq{open ? 0 : ~0ULL};
}

std::uint32_t Retention::retirable(const std::vector<JournalSegment>& segments, const TillState& stored,
                                   std::int64_t wall_ms) const {
  std::uint32_t last = 0;
  for (std::size_t i = 0; i + 1 < segments.size(); ++i) {
    // All of a segment is older than the first op of the next one.
    const bool all_there = i + 2 == segments.size() && segments[i + 1].first_op.empty() && log_.idle() &&
                           stored.last == log_.last() && acks_.unsent() == 0 && forks_.empty();
    if (all_there && journal_may_go(log_.hlc(), wall_ms)) return segments[i].number;
    const auto next = decode_op(segments[i + 1].first_op);
    if (!next || segments[i + 1].number > stored.checkpoint.segment) break;
    const bool in_cloud =
        next->chain == log_.chain() ? next->seq <= acks_.cloud().seq.next() : forks_.empty() && acks_.old().empty();
    if (!in_cloud || !journal_may_go(next->hlc, wall_ms)) break;
    last = segments[i].number;
  }
  return last;
}

bool Retention::should_rotate(const JournalSegment& newest, std::int64_t wall_ms) const {
  const auto first = decode_op(newest.first_op);
  return first && journal_may_go(first->hlc, wall_ms);
}

bool Retention::journal_may_go(const Hlc& stamp, std::int64_t wall_ms) const {
  return stamp.millis() <= wall_ms - to_ms(context_.config.keep_journal);
}

}  // namespace tillsync
