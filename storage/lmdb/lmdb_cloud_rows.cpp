#include "storage/lmdb/lmdb_cloud_rows.hpp"

#include "storage/base/checksum.hpp"
#include "storage/base/pack.hpp"
#include "storage/lmdb/lmdb_records.hpp"

namespace tillsync {

namespace {

constexpr char kRows[] = "rows_by_version", kPlaces[] = "row_places", kFeeds[] = "feeds", kTombstones[] = "tombstones",
               kCounters[] = "counters";
constexpr char kOlderRows[] = "rows", kOlderVersions[] = "row_versions";

// Rows of feed "tenant" are the tenant's; all others belong to one branch.
StoreKey feed_key(const BranchKey& shop, const FeedKind& feed) {
  return StoreKey().text(shop.tenant).text(feed.feed).text(feed.kind);
}
StoreKey version_key(StoreKey feed, RowVersion version) { return feed.number(version.value); }
StoreKey id_key(StoreKey feed, const std::string& id) { return feed.last_text(id); }

struct RowRecord {
  std::string id;
  bool deleted = false;
  Binary bytes;
  template <class A>
  void fields(A& a) {
    a(id, deleted, bytes);
  }
  Row at(RowVersion version) && { return {std::move(id), version, deleted, std::move(bytes)}; }
};

struct OlderRowRecord {
  RowVersion version;
  bool deleted = false;
  Binary bytes;
  template <class A>
  void fields(A& a) {
    a(version, deleted, bytes);
  }
};

}  // namespace

const std::vector<std::string>& LmdbCloudRows::tables() {
  static const std::vector<std::string> all{kRows, kPlaces, kFeeds, kTombstones, kCounters, kOlderRows, kOlderVersions};
  return all;
}

std::optional<Row> LmdbCloudRows::row(const BranchKey& shop, const FeedKind& feed, const std::string& id) {
  const StoreKey key = feed_key(shop, feed);
  const auto version = lmdb::find<RowVersion>(txn_, env_.table(kPlaces), id_key(key, id));
  if (!version) return std::nullopt;
  auto record = lmdb::find<RowRecord>(txn_, env_.table(kRows), version_key(key, *version));
  if (!record) return std::nullopt;
  return std::move(*record).at(*version);
}

void LmdbCloudRows::after(const BranchKey& shop, const FeedKind& feed, RowVersion after,
                          const std::function<bool(const Row&)>& visit) {
  const StoreKey prefix = feed_key(shop, feed);
  txn_.scan(env_.table(kRows), version_key(prefix, after.next()), [&](ByteView key, ByteView value) {
    if (!starts_with(key, prefix)) return false;
    auto record = unpack<RowRecord>(value);
    const RowVersion version{StoreKeyReader(key.substr(prefix.bytes().size())).number()};
    return !record || visit(std::move(*record).at(version));
  });
}

std::vector<std::string> LmdbCloudRows::kinds(const BranchKey& shop, const std::string& feed) {
  std::vector<std::string> out;
  const StoreKey prefix = StoreKey().text(shop.tenant).text(feed);
  txn_.scan(env_.table(kFeeds), prefix, [&](ByteView key, ByteView) {
    if (!starts_with(key, prefix)) return false;
    out.push_back(StoreKeyReader(key.substr(prefix.bytes().size())).text());
    return true;
  });
  return out;
}

FeedRecord LmdbCloudRows::feed(const BranchKey& shop, const FeedKind& feed) {
  FeedRecord record = lmdb::find<FeedRecord>(txn_, env_.table(kFeeds), feed_key(shop, feed)).value_or(FeedRecord{});
  record.watermark.generation = generation_;
  return record;
}

void LmdbCloudRows::put(const BranchKey& shop, const CloudRow& change) {
  const StoreKey counter = StoreKey().text(shop.tenant).text(change.feed.feed);
  const auto newest = lmdb::find<RowVersion>(txn_, env_.table(kCounters), counter).value_or(RowVersion{});
  const Row fresh{change.id, newest.next(), change.deleted, change.fields};
  write_->put(env_.table(kCounters), counter, pack(fresh.version));
  const StoreKey key = feed_key(shop, change.feed);
  FeedRecord record = feed(shop, change.feed);
  if (const auto old = row(shop, change.feed, change.id)) {
    record.live_sum -= live_sum(*old);
    write_->erase(env_.table(kRows), version_key(key, old->version));
    if (old->deleted) write_->erase(env_.table(kTombstones), version_key(key, old->version));
    if (old->deleted) --record.tombstones;
  }
  record.live_sum += live_sum(fresh);
  record.watermark = {generation_, fresh.version};
  place(key, fresh);
  if (fresh.deleted) {
    write_->put(env_.table(kTombstones), version_key(key, fresh.version), fresh.id);
    if (++record.tombstones > 2 * kept_) forget_tombstones(key, record);
  }
  write_->put(env_.table(kFeeds), key, pack(record));
}

void LmdbCloudRows::place(const StoreKey& feed, const Row& row) {
  write_->put(env_.table(kRows), version_key(feed, row.version),
              pack(RowRecord{row.id, row.deleted, Binary(row.fields)}));
  write_->put(env_.table(kPlaces), id_key(feed, row.id), pack(row.version));
}

// The older half; readers that have not heard of them will take a snapshot.
void LmdbCloudRows::forget_tombstones(const StoreKey& feed, FeedRecord& record) {
  std::vector<std::pair<RowVersion, std::string>> oldest;
  txn_.scan(env_.table(kTombstones), feed, [&](ByteView key, ByteView id) {
    oldest.emplace_back(RowVersion{StoreKeyReader(key.substr(feed.bytes().size())).number()}, Bytes(id));
    return oldest.size() < record.tombstones - kept_;
  });
  for (const auto& [version, id] : oldest) {
    write_->erase(env_.table(kTombstones), version_key(feed, version));
    write_->erase(env_.table(kRows), version_key(feed, version));
    write_->erase(env_.table(kPlaces), id_key(feed, id));
    record.horizon = version;
  }
  record.tombstones -= oldest.size();
}

void LmdbCloudRows::move_older() {
  std::vector<Bytes> rows, versions;
  txn_.scan(env_.table(kOlderRows), {}, [&](ByteView key, ByteView value) {
    rows.emplace_back(key);
    StoreKeyReader reader(key);
    const std::string tenant = reader.text();
    const FeedKind feed{reader.text(), reader.text()};
    const std::string id = reader.text();
    if (const auto record = unpack<OlderRowRecord>(value))
      place(feed_key({tenant, {}}, feed), {id, record->version, record->deleted, record->bytes});
    return true;
  });
  txn_.scan(env_.table(kOlderVersions), {}, [&](ByteView key, ByteView) { return versions.emplace_back(key), true; });
  for (const Bytes& key : rows) write_->erase(env_.table(kOlderRows), key);
  for (const Bytes& key : versions) write_->erase(env_.table(kOlderVersions), key);
}

}  // namespace tillsync
