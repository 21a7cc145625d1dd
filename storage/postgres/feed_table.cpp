#include "storage/postgres/feed_table.hpp"

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
constexpr Statement kFeeds{
    "feeds",
    "SELECT w.n, f.id, f.kind, f.generation, f.version, f.live_sum, f.horizon, f.tombstones FROM "
    "(SELECT unnest($1::bytea[]) AS tenant, unnest($2::bytea[]) AS feed, unnest($3::bigint[]) AS "
    "n) w JOIN feed f ON f.tenant = w.tenant AND f.feed = w.feed"};
constexpr Statement kCounters{"counters",
                              "SELECT w.n, c.last FROM (SELECT unnest($1::bytea[]) AS tenant, unnest($2::bytea[]) AS "
                              "feed, unnest($3::bigint[]) AS n) w JOIN feed_counter c ON c.tenant = w.tenant AND "
                              "c.feed = w.feed"};

std::string own_feed_of(const BranchKey& branch) { return "branch/" + branch.branch.text; }

}  // namespace

void FeedTable::expect(const std::vector<Name>& wanted) {
  Column tenants(kBytes), names(kBytes), numbers(kBigint);
  std::vector<Entry*> entries;
  for (const Name& name : wanted) {
    const auto [it, fresh] = feeds_.try_emplace({name.branch.tenant, name.feed});
    if (!fresh) continue;
    it->second.locked = held_by_branch(name.branch, name.feed);
    tenants.add(ByteView(name.branch.tenant));
    names.add(ByteView(name.feed));
    numbers.add(entries.size());
    entries.push_back(&it->second);
  }
  if (entries.empty()) return;
  session_.send(kCounters, Values().add(tenants).add(names).add(numbers));
  session_.send(kFeeds, Values().add(tenants).add(names).add(numbers));
  const auto found = session_.sync();
  if (found.size() < 2) return;
  const Rows &counters = found[found.size() - 2], &kinds = found.back();
  for (std::size_t i = 0; i < counters.size(); ++i) entries[counters.number(i, 0)]->last = {counters.number(i, 1)};
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    Feed& feed = entries[kinds.number(i, 0)]->kinds[std::string(kinds.bytes(i, 2))];
    feed.id = kinds.bigint(i, 1);
    feed.record.watermark = {kinds.number(i, 3), {kinds.number(i, 4)}};
    feed.record.live_sum = kinds.number(i, 5);
    feed.record.horizon = {kinds.number(i, 6)};
    feed.record.tombstones = kinds.number(i, 7);
  }
}

FeedTable::Ids FeedTable::lock(const BranchKey& branch, const std::string& feed) {
  const Key key{branch.tenant, feed};
  Ids old;
  if (held_by_branch(branch, feed)) {
    if (entry(branch, feed).last) return old;
  } else if (const auto known = feeds_.find(key); known != feeds_.end()) {
    if (known->second.locked) return old;
    old = forget(key);
  }
  const Values values = Values().add(ByteView(key.first)).add(ByteView(key.second));
  auto rows = session_.run(kLockCounter, values);
  if (rows && rows->empty()) {
    (void)session_.run(kMakeCounter, values);
    rows = session_.run(kLockCounter, values);
  }
  Entry& locked = entry(branch, feed);
  locked.locked = true;
  locked.last = {rows && !rows->empty() ? rows->number(0, 0) : 0};
  return old;
}

FeedTable::Ids FeedTable::forget(const BranchKey& branch) { return forget(Key{branch.tenant, own_feed_of(branch)}); }

FeedTable::Feed* FeedTable::find(const BranchKey& branch, const FeedKind& feed) {
  auto& kinds = entry(branch, feed.feed).kinds;
  const auto it = kinds.find(feed.kind);
  return it == kinds.end() ? nullptr : &it->second;
}

std::vector<std::string> FeedTable::kinds(const BranchKey& branch, const std::string& feed) {
  std::vector<std::string> out;
  for (const auto& [kind, unused] : entry(branch, feed).kinds) out.push_back(kind);
  return out;
}

FeedRecord FeedTable::record(const BranchKey& branch, const FeedKind& feed) {
  const Feed* found = find(branch, feed);
  FeedRecord record = found == nullptr ? FeedRecord{} : found->record;
  record.watermark.generation = session_.options().generation;
  return record;
}

FeedTable::Feed& FeedTable::to_change(const BranchKey& branch, const FeedKind& name) {
  Feed& feed = entry(branch, name.feed).kinds[name.kind];
  if (feed.id == 0) {
    const std::uint64_t generation = session_.options().generation;
    const auto made = session_.run(
        kMakeFeed,
        Values().add(ByteView(branch.tenant)).add(ByteView(name.feed)).add(ByteView(name.kind)).add(generation));
    if (made) feed.id = made->bigint(0, 0);
    feed.record = {{generation, {}}, 0, {}, 0};
    feed.fresh = true;
  }
  feed.changed = true;
  return feed;
}

RowVersion FeedTable::next_version(const BranchKey& branch, const std::string& feed) {
  Entry& counted = entry(branch, feed);
  counted.last = counted.last.value_or(RowVersion{}).next();
  counted.counted = true;
  return *counted.last;
}

void FeedTable::flush() {
  Column ids(kBigint), generations(kBigint), versions(kBigint), sums(kBigint), horizons(kBigint), tombstones(kBigint);
  Column tenants(kBytes), names(kBytes), lasts(kBigint);
  for (auto& [key, entry] : feeds_) {
    for (auto& [kind, feed] : entry.kinds) {
      if (!std::exchange(feed.changed, false)) continue;
      ids.add(feed.id);
      generations.add(feed.record.watermark.generation);
      versions.add(feed.record.watermark.version.value);
      sums.add(feed.record.live_sum);
      horizons.add(feed.record.horizon.value);
      tombstones.add(feed.record.tombstones);
    }
    if (!std::exchange(entry.counted, false)) continue;
    tenants.add(ByteView(key.first));
    names.add(ByteView(key.second));
    lasts.add(entry.last->value);
  }
  if (ids.size() > 0)
    session_.send(kSetFeeds, Values().add(ids).add(generations).add(versions).add(sums).add(horizons).add(tombstones));
  if (lasts.size() > 0) session_.send(kSetCounters, Values().add(tenants).add(names).add(lasts));
}

FeedTable::Entry& FeedTable::entry(const BranchKey& branch, const std::string& feed) {
  const Key key{branch.tenant, feed};
  if (const auto it = feeds_.find(key); it != feeds_.end()) return it->second;
  expect({{branch, feed}});
  return feeds_[key];
}

FeedTable::Ids FeedTable::forget(const Key& key) {
  Ids old;
  const auto known = feeds_.find(key);
  if (known == feeds_.end()) return old;
  for (const auto& [kind, feed] : known->second.kinds) old.push_back(feed.id);
  feeds_.erase(known);
  return old;
}

// Nobody writes a branch's own feed but the holder of the branch: its counter needs no lock of its own.
bool FeedTable::held_by_branch(const BranchKey& branch, const std::string& feed) const {
  return feed == own_feed_of(branch) && branches_.holds(branch);
}

}  // namespace tillsync::postgres
