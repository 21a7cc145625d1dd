#include <algorithm>

#include "storage/base/pack.hpp"
#include "storage/postgres/cloud_txn.hpp"
#include "storage/postgres/numbers.hpp"

namespace tillsync::postgres {

namespace {

constexpr Statement kPutRows{"put_rows",
                             "INSERT INTO feed_row (feed, id, version, deleted, fields) SELECT unnest($1::bigint[]), "
                             "unnest($2::bytea[]), unnest($3::bigint[]), unnest($4::boolean[]), unnest($5::bytea[]) ON "
                             "CONFLICT (feed, id) DO UPDATE SET version = excluded.version, deleted = "
                             "excluded.deleted, fields = excluded.fields"};
constexpr Statement kPutNotes{"put_notes",
                              "INSERT INTO note (name, value) SELECT unnest($1::bytea[]), unnest($2::bytea[]) ON "
                              "CONFLICT (name) DO UPDATE SET value = excluded.value"};
constexpr Statement kRows{"rows",
                          "SELECT r.feed, r.id, r.version, r.deleted, r.fields FROM (SELECT unnest($1::bigint[]) AS "
                          "feed, unnest($2::bytea[]) AS id) w JOIN feed_row r ON r.feed = w.feed AND r.id = w.id"};
constexpr Statement kRowsAfter{"rows_after",
                               "SELECT id, version, deleted, fields FROM feed_row WHERE feed = $1 AND version > $2 "
                               "ORDER BY version LIMIT $3"};
constexpr Statement kNotes{
    "notes", "SELECT n.name, n.value FROM (SELECT unnest($1::bytea[]) AS name) w JOIN note n ON n.name = w.name"};
constexpr Statement kDropNotes{"drop_notes", "DELETE FROM note WHERE name = ANY ($1::bytea[])"};
constexpr Statement kNotesFrom{"notes_from",
                               "SELECT name, value FROM note WHERE name >= $1 AND name < $2 ORDER BY name"};

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

Row row_from(ByteView id, std::int64_t version, bool deleted, ByteView fields) {
  Row row{std::string(id), {static_cast<std::uint64_t>(version)}, deleted, Bytes(fields)};
  auto shortened = is_shortened(id) ? unpack<LongRow>(fields) : std::nullopt;
  if (shortened) row.id = std::move(shortened->id), row.fields = std::move(shortened->row_fields);
  return row;
}

Column names_of(const std::vector<std::string>& names) {
  Column out(Column::Type::bytes);
  for (const std::string& name : names) out.add(ByteView(indexed(name)));
  return out;
}

}  // namespace

std::optional<Row> PostgresCloudTxn::row(const BranchKey& shop, const FeedKind& feed, const std::string& id) {
  const FeedEntry* entry = find_feed(shop, feed);
  if (entry == nullptr) return std::nullopt;
  const RowKey key{entry->id, indexed(id)};
  if (!entry->fresh && !rows_.contains(key)) expect_rows({{shop, feed, id}});
  return rows_[key].row;
}

void PostgresCloudTxn::expect_rows(const std::vector<CloudReads::RowName>& wanted) {
  std::vector<std::pair<BranchKey, std::string>> feeds;
  for (const auto& [shop, feed, id] : wanted) {
    if (feeds.empty() || feeds.back().first != shop || feeds.back().second != feed.feed)
      feeds.emplace_back(shop, feed.feed);
  }
  read_feeds(feeds);
  Column numbers(Column::Type::bigint), names(Column::Type::bytes);
  for (const auto& [shop, feed, id] : wanted) {
    const FeedEntry* entry = find_feed(shop, feed);
    if (entry == nullptr) continue;
    const auto [known, fresh] = rows_.try_emplace({entry->id, indexed(id)});
    if (!fresh) continue;
    numbers.add(entry->id);
    names.add(ByteView(known->first.second));
  }
  const auto rows = names.size() == 0 ? std::nullopt : run(kRows, Values().add(numbers).add(names));
  for (std::size_t i = 0; rows && i < rows->size(); ++i) {
    rows_[{rows->bigint(i, 0), std::string(rows->bytes(i, 1))}].row =
        row_from(rows->bytes(i, 1), rows->bigint(i, 2), rows->boolean(i, 3), rows->bytes(i, 4));
  }
}

void PostgresCloudTxn::rows_after(const BranchKey& shop, const FeedKind& feed, RowVersion after,
                                  const std::function<bool(const Row&)>& visit) {
  const FeedEntry* entry = find_feed(shop, feed);
  if (entry == nullptr) return;
  const std::int64_t id = entry->id;
  flush_rows();
  for (std::int64_t chunk = kFirstChunk;;) {
    const auto rows = run(kRowsAfter, Values().add(id).add(after.value).add(chunk));
    std::size_t bytes = 0;
    for (std::size_t i = 0; rows && i < rows->size(); ++i) {
      const Row row = row_from(rows->bytes(i, 0), rows->bigint(i, 1), rows->boolean(i, 2), rows->bytes(i, 3));
      after = row.version;
      bytes += row.fields.size();
      if (!visit(row)) return;
    }
    if (!rows || rows->size() < static_cast<std::size_t>(chunk)) return;
    chunk = next_chunk(chunk, bytes);
  }
}

void PostgresCloudTxn::put_row(const BranchKey& shop, const CloudRow& change) {
  FeedEntry& entry = feed_to_write(shop, change.feed);
  FeedEntries& feed = feeds(shop, change.feed.feed);
  (void)row(shop, change.feed, change.id);
  const RowKey key{entry.id, indexed(change.id)};
  RowEntry& stored = rows_[key];
  feed.last = feed.last.value_or(RowVersion{}).next();
  feed.dirty = true;
  Row fresh{change.id, *feed.last, change.deleted, change.fields};
  if (stored.row) {
    entry.record.live_sum -= live_sum(*stored.row);
    if (stored.row->deleted) --entry.record.tombstones;
  }
  entry.record.live_sum += live_sum(fresh);
  entry.record.watermark = {options_.generation, fresh.version};
  if (fresh.deleted) ++entry.record.tombstones;
  stored.row = std::move(fresh);
  dirty_rows_.insert(key);
  announce({shop.tenant, change.feed.feed});
  if (entry.record.tombstones > 2 * options_.tombstones_kept) forget_tombstones(entry);
}

void PostgresCloudTxn::flush_rows() {
  if (dirty_rows_.empty()) return;
  Column feeds(kBigint), ids(kBytes), versions(kBigint), deleted(kBoolean), fields(kBytes);
  for (const RowKey& key : dirty_rows_) {
    const auto& row = rows_[key].row;
    if (!row) continue;  // a tombstone that went in this transaction
    feeds.add(key.first);
    ids.add(ByteView(key.second));
    versions.add(static_cast<std::int64_t>(row->version.value));
    deleted.add(row->deleted);
    fields.add(ByteView(stored_fields(*row)));
  }
  dirty_rows_.clear();
  db_.send(kPutRows, Values().add(feeds).add(ids).add(versions).add(deleted).add(fields));
}

std::optional<Bytes> PostgresCloudTxn::meta(const std::string& name) {
  const std::string key = indexed(name);
  if (!notes_.contains(key)) expect_metas({name});
  return notes_[key].value;
}

void PostgresCloudTxn::expect_metas(const std::vector<std::string>& wanted) {
  std::vector<std::string> names;
  for (const std::string& name : wanted) {
    if (notes_.try_emplace(indexed(name)).second) names.push_back(name);
  }
  const auto rows = names.empty() ? std::nullopt : run(kNotes, Values().add(names_of(names)));
  for (std::size_t i = 0; rows && i < rows->size(); ++i)
    notes_[std::string(rows->bytes(i, 0))].value = Bytes(rows->bytes(i, 1));
}

void PostgresCloudTxn::metas(const std::string& prefix,
                             const std::function<void(const std::string&, ByteView)>& visit) {
  flush_metas();
  std::string end = prefix;
  end.back() = static_cast<char>(end.back() + 1);  // prefixes end in '/'
  const auto rows = run(kNotesFrom, Values().add(ByteView(prefix)).add(ByteView(end)));
  for (std::size_t i = 0; rows && i < rows->size(); ++i) visit(std::string(rows->bytes(i, 0)), rows->bytes(i, 1));
}

void PostgresCloudTxn::put_meta(const std::string& name, ByteView value) {
  const std::string key = indexed(name);
  notes_[key].value = Bytes(value);
  dirty_notes_.insert(key);
}

void PostgresCloudTxn::drop_meta(const std::string& name) {
  const std::string key = indexed(name);
  notes_[key].value.reset();
  dirty_notes_.insert(key);
}

void PostgresCloudTxn::flush_metas() {
  if (dirty_notes_.empty()) return;
  Column names(kBytes), values(kBytes), dropped(kBytes);
  for (const std::string& name : dirty_notes_) {
    const auto& value = notes_[name].value;
    if (value) names.add(ByteView(name)), values.add(ByteView(*value));
    if (!value) dropped.add(ByteView(name));
  }
  dirty_notes_.clear();
  if (names.size() > 0) db_.send(kPutNotes, Values().add(names).add(values));
  if (dropped.size() > 0) db_.send(kDropNotes, Values().add(dropped));
}

}  // namespace tillsync::postgres
