#include "engine/till/row_reader.hpp"

#include <algorithm>

#include "engine/till/stock_view.hpp"
#include "engine/wire/paging.hpp"
#include "storage/base/mutants.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/row_groups.hpp"

namespace tillsync {

namespace {

constexpr std::size_t kMaxFeeds = 1000, kMaxFeedKindBytes = 64;
constexpr char kSettledMeta[] = "settled";

std::vector<ChainUpTo> stored_settled(TillView& view) {
  const auto meta = view.meta(kSettledMeta);
  return meta ? unpack<Packed<ChainUpTo>>(*meta).value_or(Packed<ChainUpTo>{}).all : std::vector<ChainUpTo>{};
}

}  // namespace

RowReader::RowReader(TillStore& store, BranchId branch) : branch_(std::move(branch)) {
  TillView view = store.view();
  for (const auto& [feed, record] : view.feeds()) positions_[feed] = record;
  settled_ = stored_settled(view);
  view.rows_after(groups_feed(), {},
                  [&](const TillView::StoredRow& stored) { return look_at_group(stored.row), true; });
}

void RowReader::look_at_group(const Row& group) {
  in_group(group, branch_) ? void(groups_.insert(group.id)) : void(groups_.erase(group.id));
}

Pull RowReader::next_pull() const {
  Pull pull{{"tenant", "branch/" + branch_.text}, {}};
  for (const std::string& group : groups_) pull.feeds.push_back(group_feed(group));
  for (const auto& [feed, record] : positions_) {
    pull.positions.push_back(
        {feed.feed, feed.kind, record.watermark.generation, record.watermark.version, snapshots_.contains(feed)});
  }
  return pull;
}

bool RowReader::hear_of(const FeedKind& feed) {
  const bool ours = feed.feed == "tenant" || feed.feed == "branch/" + branch_.text ||
                    (feed.feed.starts_with("group/") && groups_.contains(feed.feed.substr(6)));
  return ours && feed.kind.size() <= kMaxFeedKindBytes && positions_.size() < kMaxFeeds &&
         positions_.try_emplace(feed).second;
}

void RowReader::form(TillView& view, StoreBatch& batch, const Changed& changed) {
  if (queued_.empty()) return;
  for (const Page& page : queued_.front().pages) apply(view, batch, page, changed);
  queued_.pop_front();
}

void RowReader::apply(TillView& view, StoreBatch& batch, const Page& page, const Changed& changed) {
  const FeedKind feed{page.feed, page.kind};
  FeedRecord& record = positions_[feed];
  const bool fits =
      page.snapshot ? page.from == RowVersion{} || snapshots_.contains(feed) : page.from == record.watermark.version;
  if (!fits) return;  // an answer to an older question
  if (page.snapshot && page.from == RowVersion{}) {
    record.live_sum = 0;
    RowVersion& unseen = snapshots_[feed] = page.newest.value;
    view.rows_after(feed, {}, [&](const TillView::StoredRow& stored) {
      record.live_sum += live_sum(stored.row);  // what stays until a page replaces or drops it
      unseen = {};
      return true;
    });
  }
  const auto snapshot = snapshots_.find(feed);
  const RowVersion unseen = snapshot == snapshots_.end() ? RowVersion{} : snapshot->second;
  if (page.snapshot) drop_stale(view, batch, page, record, changed);
  for (const Page::WireRow& wire : page.rows) {
    const bool deleted = wire.deleted && !mutated(Mutant::resurrect_row);
    const Row row{wire.id, wire.version, deleted, wire.fields_bytes};
    const auto old = wire.version <= unseen ? std::nullopt : view.row(feed, wire.id);
    if (old) record.live_sum -= live_sum(old->row);
    record.live_sum += live_sum(row);
    batch.row(feed, page.generation, row, old ? std::optional(old->row.version) : std::nullopt);
    changed(feed, row);
    if (feed == groups_feed()) look_at_group(row);
  }
  generation_ = page.generation;
  record.watermark = {page.generation, page.to};
  if (mutated(Mutant::row_off_by_one)) ++record.watermark.version.value;
  if (!page.more && snapshots_.erase(feed) > 0) record.horizon = page.to;  // what was dropped left no tombstone here
  if (!page.more && record.live_sum != page.live_sum) {
    ++diverged_;
    record = {};  // generation 0 is nobody's: the next pull gets a snapshot
  }
  batch.feed(feed, record);
  if (page.more || feed != stock_feed(branch_)) return;
  settled_ = page.settled;
  batch.meta(kSettledMeta, pack(Packed<ChainUpTo>{settled_}));
}

// A snapshot covers (from, to] whole: what this reader has there, or of another generation, and the page has not, is
// gone.
void RowReader::drop_stale(TillView& view, StoreBatch& batch, const Page& page, FeedRecord& record,
                           const Changed& changed) {
  const FeedKind feed{page.feed, page.kind};
  std::set<std::string> fresh;
  for (const Page::WireRow& row : page.rows) fresh.insert(row.id);
  view.rows_after(feed, page.more ? page.from : RowVersion{}, [&](const TillView::StoredRow& stored) {
    const bool covered = stored.row.version > page.from && stored.row.version <= page.to;
    const bool foreign = stored.generation != page.generation;
    // Rows of an older generation go with the last page, so that no product is missing in the middle.
    if (fresh.contains(stored.row.id) || !(foreign ? !page.more : covered)) return true;
    record.live_sum -= live_sum(stored.row);
    batch.drop_row(feed, stored.row.id, stored.row.version);
    const Row gone{stored.row.id, stored.row.version, true, {}};
    changed(feed, gone);
    if (feed == groups_feed()) look_at_group(gone);
    return true;
  });
}

Pages answer_pull(TillView& view, const Pull& pull) {
  Pages answer;
  std::size_t bytes = 0;
  for (const auto& [feed, newest] : view.feeds()) {
    const FeedKind& which = feed;
    const bool wanted = std::find(pull.feeds.begin(), pull.feeds.end(), feed.feed) != pull.feeds.end();
    const RowPosition position = position_of(pull, feed);
    if (!wanted || newest.watermark.generation == 0 || is_current(position, newest) || bytes > kMaxPagesBytes) continue;
    answer.pages.push_back(
        make_page(position, newest, [&, now = newest.watermark.generation](RowVersion after, const RowVisitor& visit) {
          view.rows_after(which, after, [&](const TillView::StoredRow& stored) {
            return stored.generation != now || visit(stored.row);
          });
        }));
    Page& page = answer.pages.back();
    if (feed.kind == kStockKind && !page.more) page.settled = stored_settled(view);
    for (const auto& row : page.rows) bytes += row.fields_bytes.size() + 32;
  }
  return answer;
}

}  // namespace tillsync
