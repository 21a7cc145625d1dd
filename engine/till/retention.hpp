// How long this till keeps its own ops: in the vault for enquiries and to give a restored cloud back what it lost, in
// the journal as the black box. Nothing goes before the cloud holds it.
#pragma once

#include <vector>

#include "engine/till/history_acks.hpp"
#include "storage/journal/journal.hpp"

namespace tillsync {

class Retention final : public StoredPart {
 public:
  static constexpr Duration kShortestPause = seconds(1), kLongestPause = std::chrono::minutes(10);
  static constexpr std::size_t kMaxDropped = 1000;  // ops, in one checkpoint

  Retention(const TillContext& context, const LocalLog& log, HistoryAcks& acks, const ForkList& forks);

  // The last journal segment that nobody needs any more, given each segment's first op; 0 for none. `stored`: as the
  // last checkpoint has it.
  std::uint32_t retirable(const std::vector<JournalSegment>& segments, const TillState& stored,
                          std::int64_t wall_ms) const;
  // True if the open segment is past keep_journal: it is rotated, so that a quiet till still frees old segments.
  bool should_rotate(const JournalSegment& newest, std::int64_t wall_ms) const;

  // Nothing is dropped from the vault while a fork is open: it compares with what is there.
  std::optional<Instant> due() const override { return forks_.empty() ? std::optional(next_) : std::nullopt; }
  void write(const Moment& at, Checkpoint& into) override;

 private:
  std::size_t drop_old(Incarnation history, std::int64_t before_ms, std::size_t at_most, Checkpoint& into);
  Seq first_kept(Incarnation history) const;
  bool journal_may_go(const Hlc& stamp, std::int64_t wall_ms) const;

  const TillContext& context_;
  const LocalLog& log_;
  HistoryAcks& acks_;
  const ForkList& forks_;
  Instant next_;
};

}  // namespace tillsync
