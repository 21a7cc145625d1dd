// Follows the cloud's rows by version and watermark, one watermark for each feed and kind. A watermark is stored in the
// same transaction as the rows it covers. A reader whose live rows do not add up to the sender's sum heals by a
// snapshot.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "engine/wire/messages.hpp"
#include "storage/lmdb/till_store.hpp"

namespace tillsync {

class RowReader {
 public:
  RowReader(TillStore& store, BranchId branch);

  Pull next_pull() const;
  // Another till has such rows. True when this one has never heard of them: the cloud is to be asked.
  bool hear_of(const FeedKind& feed);
  void on_pages(Pages pages) { queued_.push_back(std::move(pages)); }
  bool dirty() const { return !queued_.empty(); }

  // Applies one answer; `changed` is told of every row, stock rows included.
  using Changed = std::function<void(const FeedKind&, const Row&)>;
  void form(TillView& view, StoreBatch& batch, const Changed& changed);

  const std::set<std::string>& groups() const { return groups_; }  // that the branch belongs to

  // What the stock rows that this till has settle; empty when it does not know.
  const std::vector<ChainUpTo>& settled() const { return settled_; }
  std::uint64_t take_generation() { return std::exchange(generation_, 0); }  // of the page applied last; 0: of none
  std::uint64_t diverged() const { return diverged_; }
  std::map<FeedKind, FeedRecord> positions() const { return positions_; }

 private:
  void apply(TillView& view, StoreBatch& batch, const Page& page, const Changed& changed);
  void look_at_group(const Row& group);
  void drop_stale(TillView& view, StoreBatch& batch, const Page& page, FeedRecord& record, const Changed& changed);

  BranchId branch_;
  std::map<FeedKind, FeedRecord> positions_;
  // Being taken; rows up to that version are new to this reader, since it had none when they were all there was.
  std::map<FeedKind, RowVersion> snapshots_;
  std::deque<Pages> queued_;
  std::vector<ChainUpTo> settled_;
  std::uint64_t diverged_ = 0;
  std::uint64_t generation_ = 0;
  std::set<std::string> groups_;
};

// Answers pulls from what this till holds: the host serves its branch from its own rows, under the cloud's versions.
Pages answer_pull(TillView& view, const Pull& pull);

}  // namespace tillsync
