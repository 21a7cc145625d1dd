#include "storage/postgres/row_table.hpp"

#include <algorithm>

#include "storage/base/pack.hpp"
#include "storage/postgres/indexed.hpp"
#include "storage/postgres/numbers.hpp"

namespace tillsync::postgres {

namespace {

constexpr Statement kPutRows{"put_rows",
                             "INSERT INTO feed_row (feed, id, version, deleted, fields) SELECT unnest($1::bigint[]), "
                             "unnest($2::bytea[]), unnest($3::bigint[]), unnest($4::boolean[]), unnest($5::bytea[]) ON "
                             "CONFLICT (feed, id) DO UPDATE SET version = excluded.version, deleted = "
                             "excluded.deleted, fields = excluded.fields"};
constexpr Statement kRows{"rows",
                          "SELECT r.feed, r.id, r.version, r.deleted, r.fields FROM (SELECT unnest($1::bigint[]) AS "
                          "feed, unnest($2::bytea[]) AS id) w JOIN feed_row r ON r.feed = w.feed AND r.id = w.id"};
constexpr Statement kRowsAfter{"rows_after",
                               "SELECT id, version, deleted, fields FROM feed_row WHERE feed = $1 AND version > $2 "
                               "ORDER BY version LIMIT $3"};
constexpr Statement kDropTombstones{"forget_tombstones",
                                    "DELETE FROM feed_row WHERE feed = $1 AND deleted AND version <= (SELECT version "
                                    "FROM feed_row WHERE feed = $1 AND deleted ORDER BY version OFFSET $2 LIMIT 1) "
                                    "RETURNING id, version"};

// The fields of a row whose id was too long for the table's index, with the id.
struct LongRow {
  std::string id;
  Binary row_fields;
  template <class A>
  void fields(A& a) {
    a(id, row_fields);
  }
};

Bytes stored_fields(const Row& row) {
  return is_shortened(indexed(row.id)) ? pack(LongRow{row.id, Binary(row.fields)}) : row.fields;
}

Row row_from(ByteView id, std::uint64_t version, bool deleted, ByteView fields) {
  Row row{std::string(id), {version}, deleted, Bytes(fields)};
  auto shortened = is_shortened(id) ? unpack<LongRow>(fields) : std::nullopt;
  if (shortened) row.id = std::move(shortened->id), row.fields = std::move(shortened->row_fields);
  return row;
}

void take_out(FeedRecord& record, const Row& row) {
  record.live_sum -= live_sum(row);
  if (row.deleted) --record.tombstones;
}

void take_in(FeedRecord& record, const Row& row) {
  record.live_sum += live_sum(row);
  if (row.deleted) ++record.tombstones;
}

}  // namespace

void RowTable::expect(const std::vector<CloudReads::RowName>& wanted) {
  std::vector<FeedTable::Name> feeds;
  for (const auto& [branch, feed, id] : wanted) {
    FeedTable::Name name{branch, feed.feed};
    if (feeds.empty() || feeds.back() != name) feeds.push_back(std::move(name));
  }
  feeds_.expect(feeds);
  Column numbers(kBigint), names(kBytes);
  for (const auto& [branch, name, id] : wanted) {
    const FeedTable::Feed* feed = feeds_.find(branch, name);
    if (feed == nullptr) continue;
    const auto [known, fresh] = rows_.try_emplace({feed->id, indexed(id)});
    if (!fresh) continue;
    numbers.add(feed->id);
    names.add(ByteView(known->first.second));
  }
  const auto rows = names.size() == 0 ? std::nullopt : session_.run(kRows, Values().add(numbers).add(names));
  for (std::size_t i = 0; rows && i < rows->size(); ++i) {
    rows_[{rows->bigint(i, 0), std::string(rows->bytes(i, 1))}] =
        row_from(rows->bytes(i, 1), rows->number(i, 2), rows->boolean(i, 3), rows->bytes(i, 4));
  }
}

std::optional<Row> RowTable::find(const BranchKey& branch, const FeedKind& name, const std::string& id) {
  const FeedTable::Feed* feed = feeds_.find(branch, name);
  if (feed == nullptr) return std::nullopt;
  const Key key{feed->id, indexed(id)};
  if (!feed->fresh && !rows_.contains(key)) expect({{branch, name, id}});
  return rows_[key];
}

void RowTable::read_after(const BranchKey& branch, const FeedKind& name, RowVersion after,
                          const std::function<bool(const Row&)>& visit) {
  const FeedTable::Feed* feed = feeds_.find(branch, name);
  if (feed == nullptr) return;
  const std::int64_t feed_id = feed->id;
  flush();
  for (std::int64_t chunk = kFirstChunk;;) {
    const auto rows = session_.run(kRowsAfter, Values().add(feed_id).add(after.value).add(chunk));
    std::size_t bytes = 0;
    for (std::size_t i = 0; rows && i < rows->size(); ++i) {
      const Row row = row_from(rows->bytes(i, 0), rows->number(i, 1), rows->boolean(i, 2), rows->bytes(i, 3));
      after = row.version;
      bytes += row.fields.size();
      if (!visit(row)) return;
    }
    if (!rows || rows->size() < static_cast<std::size_t>(chunk)) return;
    chunk = next_chunk(chunk, bytes);
  }
}

void RowTable::put(const BranchKey& branch, const CloudRow& change) {
  FeedTable::Feed& feed = feeds_.to_change(branch, change.feed);
  const auto old = find(branch, change.feed, change.id);
  Row row{change.id, feeds_.next_version(branch, change.feed.feed), change.deleted, change.fields};
  if (old) take_out(feed.record, *old);
  take_in(feed.record, row);
  feed.record.watermark = {session_.options().generation, row.version};
  const Key key{feed.id, indexed(change.id)};
  rows_[key] = std::move(row);
  changed_.insert(key);
  if (feed.record.tombstones > 2 * session_.options().tombstones_kept) drop_older_tombstones(feed);
}

void RowTable::forget(const FeedTable::Ids& feeds) {
  for (const std::int64_t id : feeds) rows_.erase(rows_.lower_bound({id, {}}), rows_.lower_bound({id + 1, {}}));
}

void RowTable::flush() {
  if (changed_.empty()) return;
  Column feeds(kBigint), ids(kBytes), versions(kBigint), deleted(kBoolean), fields(kBytes);
  for (const Key& key : std::exchange(changed_, {})) {
    const auto& row = rows_[key];
    if (!row) continue;  // a tombstone that was dropped in this transaction
    feeds.add(key.first);
    ids.add(ByteView(key.second));
    versions.add(row->version.value);
    deleted.add(row->deleted);
    fields.add(ByteView(stored_fields(*row)));
  }
  session_.send(kPutRows, Values().add(feeds).add(ids).add(versions).add(deleted).add(fields));
}

// Readers that are behind the horizon will take a snapshot.
void RowTable::drop_older_tombstones(FeedTable::Feed& feed) {
  flush();
  const auto surplus = feed.record.tombstones - session_.options().tombstones_kept;
  const auto rows = session_.run(kDropTombstones, Values().add(feed.id).add(surplus - 1));
  for (std::size_t i = 0; rows && i < rows->size(); ++i) {
    rows_[{feed.id, std::string(rows->bytes(i, 0))}].reset();
    feed.record.horizon = std::max(feed.record.horizon, RowVersion{rows->number(i, 1)});
  }
  if (rows) feed.record.tombstones -= rows->size();
}

}  // namespace tillsync::postgres
