#include <algorithm>

#include "storage/postgres/cloud_txn.hpp"

namespace tillsync::postgres {

namespace {

constexpr Statement kMakeCounter{"make_counter",
                                 "INSERT INTO feed_counter (tenant, feed, last) VALUES ($1, $2, 0) ON CONFLICT DO "
                                 "NOTHING"};
constexpr Statement kLockCounter{"lock_counter",
                                 "SELECT last FROM feed_counter WHERE tenant = $1 AND feed = $2 FOR UPDATE"};
constexpr Statement kSetCounters{"set_counters",
                                 "UPDATE feed_counter f SET last = w.last FROM (SELECT unnest($1::bytea[]) AS tenant, "
                                 "unnest($2::bytea[]) AS feed, unnest($3::bigint[]) AS last) w WHERE f.tenant = "
                                 "w.tenant AND f.feed = w.feed"};
constexpr Statement kMakeFeed{"make_feed",
                              "INSERT INTO feed (tenant, feed, kind, generation, version, live_sum, horizon, "
                              "tombstones) VALUES ($1, $2, $3, $4, 0, 0, 0, 0) RETURNING id"};
constexpr Statement kSetFeeds{"set_feeds",
                              "UPDATE feed f SET generation = w.generation, version = w.version, live_sum = "
                              "w.live_sum, horizon = w.horizon, tombstones = w.tombstones FROM (SELECT "
                              "unnest($1::bigint[]) AS id, unnest($2::bigint[]) AS generation, unnest($3::bigint[]) "
                              "AS version, unnest($4::bigint[]) AS live_sum, unnest($5::bigint[]) AS horizon, "
                              "unnest($6::bigint[]) AS tombstones) w WHERE f.id = w.id"};
constexpr Statement kForgetTombstones{"forget_tombstones",
                                      "DELETE FROM feed_row WHERE feed = $1 AND deleted AND version <= (SELECT version "
                                      "FROM feed_row WHERE feed = $1 AND deleted ORDER BY version OFFSET $2 LIMIT 1) "
                                      "RETURNING id, version"};
constexpr Statement kFeeds{
    "feeds",
    "SELECT w.n, f.id, f.kind, f.generation, f.version, f.live_sum, f.horizon, f.tombstones FROM "
    "(SELECT unnest($1::bytea[]) AS tenant, unnest($2::bytea[]) AS feed, unnest($3::bigint[]) AS "
    "n) w JOIN feed f ON f.tenant = w.tenant AND f.feed = w.feed"};
constexpr Statement kCounters{"counters",
                              "SELECT w.n, c.last FROM (SELECT unnest($1::bytea[]) AS tenant, unnest($2::bytea[]) AS "
                              "feed, unnest($3::bigint[]) AS n) w JOIN feed_counter c ON c.tenant = w.tenant AND "
                              "c.feed = w.feed"};

}  // namespace

// Their kinds, and the counters of those that this transaction may write without another lock.
void PostgresCloudTxn::read_feeds(const std::vector<std::pair<BranchKey, std::string>>& wanted) {
  Column tenants(Column::Type::bytes), names(Column::Type::bytes), numbers(Column::Type::bigint);
  std::vector<FeedEntries*> entries;
  for (const auto& [of, feed] : wanted) {
    const auto [it, fresh] = feeds_.try_emplace({of.tenant, feed});
    if (!fresh) continue;
    it->second.locked = own_feed(of, feed);
    tenants.add(ByteView(of.tenant));
    names.add(ByteView(feed));
    numbers.add(static_cast<std::int64_t>(entries.size()));
    entries.push_back(&it->second);
  }
  if (entries.empty() || fault_) return;
  db_.send(kCounters, Values().add(tenants).add(names).add(numbers));
  db_.send(kFeeds, Values().add(tenants).add(names).add(numbers));
  const auto found = sync();
  if (found.size() < 2) return;
  const Rows &counters = found[found.size() - 2], &kinds = found.back();
  for (std::size_t i = 0; i < counters.size(); ++i)
    entries[static_cast<std::size_t>(counters.bigint(i, 0))]->last = {
        static_cast<std::uint64_t>(counters.bigint(i, 1))};
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    auto& into = entries[static_cast<std::size_t>(kinds.bigint(i, 0))]->kinds;
    FeedEntry& entry = into[std::string(kinds.bytes(i, 2))];
    entry.id = kinds.bigint(i, 1);
    entry.record.watermark = {static_cast<std::uint64_t>(kinds.bigint(i, 3)),
                              {static_cast<std::uint64_t>(kinds.bigint(i, 4))}};
    entry.record.live_sum = static_cast<std::uint64_t>(kinds.bigint(i, 5));
    entry.record.horizon = {static_cast<std::uint64_t>(kinds.bigint(i, 6))};
    entry.record.tombstones = static_cast<std::uint64_t>(kinds.bigint(i, 7));
  }
}

PostgresCloudTxn::FeedEntries& PostgresCloudTxn::feeds(const BranchKey& shop, const std::string& feed) {
  const auto it = feeds_.find({shop.tenant, feed});
  if (it != feeds_.end()) return it->second;
  read_feeds({{shop, feed}});
  return feeds_[{shop.tenant, feed}];
}

PostgresCloudTxn::FeedEntry* PostgresCloudTxn::find_feed(const BranchKey& shop, const FeedKind& feed) {
  auto& kinds = feeds(shop, feed.feed).kinds;
  const auto it = kinds.find(feed.kind);
  return it == kinds.end() ? nullptr : &it->second;
}

std::vector<std::string> PostgresCloudTxn::kinds(const BranchKey& shop, const std::string& feed) {
  std::vector<std::string> out;
  for (const auto& [kind, entry] : feeds(shop, feed).kinds) out.push_back(kind);
  return out;
}

FeedRecord PostgresCloudTxn::feed(const BranchKey& shop, const FeedKind& feed) {
  const FeedEntry* entry = find_feed(shop, feed);
  FeedRecord record = entry == nullptr ? FeedRecord{} : entry->record;
  record.watermark.generation = options_.generation;
  return record;
}

// Nobody writes the feed of a branch but who holds the branch: its counter needs no lock of its own.
bool PostgresCloudTxn::own_feed(const BranchKey& of, const std::string& feed) {
  return feed == "branch/" + of.branch.text && shops_[of].locked;
}

// What was read of it before a lock may be old.
void PostgresCloudTxn::forget_feed(const FeedName& name) {
  const auto known = feeds_.find(name);
  if (known == feeds_.end()) return;
  for (const auto& [kind, entry] : known->second.kinds)
    std::erase_if(rows_, [id = entry.id](const auto& row) { return row.first.first == id; });
  feeds_.erase(known);
}

void PostgresCloudTxn::lock_feed(const BranchKey& shop, const std::string& feed) {
  if (!writes_) return;
  const FeedName name{shop.tenant, feed};
  if (own_feed(shop, feed)) {
    if (feeds(shop, feed).last) return;
  } else if (const auto known = feeds_.find(name); known != feeds_.end()) {
    if (known->second.locked) return;
    forget_feed(name);
  }
  const Values values = Values().add(ByteView(shop.tenant)).add(ByteView(feed));
  auto rows = run(kLockCounter, values);
  if (rows && rows->empty()) {
    (void)run(kMakeCounter, values);
    rows = run(kLockCounter, values);
  }
  FeedEntries& entries = feeds(shop, feed);
  entries.locked = true;
  entries.last = {rows && !rows->empty() ? static_cast<std::uint64_t>(rows->bigint(0, 0)) : 0};
}

PostgresCloudTxn::FeedEntry& PostgresCloudTxn::feed_to_write(const BranchKey& shop, const FeedKind& feed) {
  lock_feed(shop, feed.feed);
  FeedEntry& entry = feeds(shop, feed.feed).kinds[feed.kind];
  if (entry.id == 0) {
    const auto made = run(
        kMakeFeed,
        Values().add(ByteView(shop.tenant)).add(ByteView(feed.feed)).add(ByteView(feed.kind)).add(options_.generation));
    if (made) entry.id = made->bigint(0, 0);
    entry.record = {{options_.generation, {}}, 0, {}, 0};
    entry.fresh = true;
  }
  entry.dirty = true;
  return entry;
}

void PostgresCloudTxn::flush_feeds() {
  Column ids(kBigint), generations(kBigint), versions(kBigint), sums(kBigint), horizons(kBigint), tombstones(kBigint);
  Column tenants(kBytes), names(kBytes), lasts(kBigint);
  for (auto& [name, feed] : feeds_) {
    for (auto& [kind, entry] : feed.kinds) {
      if (!std::exchange(entry.dirty, false)) continue;
      ids.add(entry.id);
      generations.add(static_cast<std::int64_t>(entry.record.watermark.generation));
      versions.add(static_cast<std::int64_t>(entry.record.watermark.version.value));
      sums.add(static_cast<std::int64_t>(entry.record.live_sum));
      horizons.add(static_cast<std::int64_t>(entry.record.horizon.value));
      tombstones.add(static_cast<std::int64_t>(entry.record.tombstones));
    }
    if (!std::exchange(feed.dirty, false)) continue;
    tenants.add(ByteView(name.first));
    names.add(ByteView(name.second));
    lasts.add(static_cast<std::int64_t>(feed.last->value));
  }
  if (ids.size() > 0)
    db_.send(kSetFeeds, Values().add(ids).add(generations).add(versions).add(sums).add(horizons).add(tombstones));
  if (lasts.size() > 0) db_.send(kSetCounters, Values().add(tenants).add(names).add(lasts));
}

// The older half; readers that have not heard of them will take a snapshot.
void PostgresCloudTxn::forget_tombstones(FeedEntry& feed) {
  flush_rows();
  const auto gone = feed.record.tombstones - options_.tombstones_kept;
  const auto rows = run(kForgetTombstones, Values().add(feed.id).add(gone - 1));
  for (std::size_t i = 0; rows && i < rows->size(); ++i) {
    rows_[{feed.id, std::string(rows->bytes(i, 0))}].row.reset();
    feed.record.horizon = std::max(feed.record.horizon, RowVersion{static_cast<std::uint64_t>(rows->bigint(i, 1))});
  }
  if (rows) feed.record.tombstones -= rows->size();
}

}  // namespace tillsync::postgres
