#include "engine/wire/paging.hpp"

namespace tillsync {

bool is_current(const RowPosition& position, const FeedRecord& newest) {
  return !position.snapshot && position.generation == newest.watermark.generation &&
         position.version == newest.watermark.version;
}

RowPosition position_of(const Pull& pull, const FeedKind& feed) {
  for (const RowPosition& p : pull.positions) {
    if (p.feed == feed.feed && p.kind == feed.kind) return p;
  }
  return {feed.feed, feed.kind, 0, {}, false};
}

Page make_page(const RowPosition& position, const FeedRecord& newest,
               const std::function<void(RowVersion, const RowVisitor&)>& rows_after) {
  const bool knows_all = position.snapshot || position.version >= newest.horizon;
  const bool trusted =
      position.generation == newest.watermark.generation && position.version <= newest.watermark.version && knows_all;
  Page page;
  page.feed = position.feed;
  page.kind = position.kind;
  page.generation = newest.watermark.generation;
  page.from = trusted ? position.version : RowVersion{};
  page.snapshot = !trusted || position.snapshot;
  page.to = newest.watermark.version;
  page.live_sum = newest.live_sum;
  page.newest.value = newest.watermark.version;
  std::size_t bytes = 0;
  rows_after(page.from, [&](const Row& row) {
    if (page.rows.size() >= kMaxPageRows || (bytes > 0 && bytes + row.fields.size() > kMaxPageBytes)) {
      page.more = true;
      page.to = page.rows.back().version;
      return false;
    }
    bytes += row.fields.size() + row.id.size() + 16;
    page.rows.push_back({row.id, row.version, row.deleted, Binary(row.fields)});
    return true;
  });
  return page;
}

}  // namespace tillsync
