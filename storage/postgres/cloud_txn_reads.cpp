#include <algorithm>

#include "storage/op_codec.hpp"
#include "storage/postgres/cloud_txn.hpp"
#include "storage/postgres/numbers.hpp"
#include "storage/postgres/packets.hpp"

namespace tillsync::postgres {

namespace {

constexpr Statement kShops{"shops",
                           "SELECT b.id, b.tenant, b.name FROM branch b JOIN (SELECT unnest($1::bytea[]) AS tenant, "
                           "unnest($2::bytea[]) AS name) w ON b.tenant = w.tenant AND b.name = w.name"};
constexpr Statement kAllShops{"all_shops",
                              "SELECT tenant, name FROM branch b WHERE EXISTS (SELECT 1 FROM chain c WHERE c.branch = "
                              "b.id) ORDER BY tenant, name"};
constexpr Statement kChains{"chains", "SELECT id, till, incarnation, seq, hash FROM chain WHERE branch = $1"};
constexpr Statement kOps{"ops",
                         "SELECT seq, key, body, effect::bigint FROM op WHERE chain = $1 AND seq >= $2 ORDER BY seq "
                         "LIMIT $3"};
constexpr Statement kKeys{"keys",
                          "SELECT o.branch, o.key, c.till, c.incarnation, o.seq, o.body FROM (SELECT "
                          "unnest($1::bigint[]) AS branch, unnest($2::bytea[]) AS key) w JOIN op o ON o.branch = "
                          "w.branch AND o.key = w.key AND o.effect = 0 AND o.key <> '' JOIN chain c ON c.id = o.chain"};
constexpr Statement kFeeds{
    "feeds",
    "SELECT w.n, f.id, f.kind, f.generation, f.version, f.live_sum, f.horizon, f.tombstones FROM "
    "(SELECT unnest($1::bytea[]) AS tenant, unnest($2::bytea[]) AS feed, unnest($3::bigint[]) AS "
    "n) w JOIN feed f ON f.tenant = w.tenant AND f.feed = w.feed"};
constexpr Statement kCounters{"counters",
                              "SELECT w.n, c.last FROM (SELECT unnest($1::bytea[]) AS tenant, unnest($2::bytea[]) AS "
                              "feed, unnest($3::bigint[]) AS n) w JOIN feed_counter c ON c.tenant = w.tenant AND "
                              "c.feed = w.feed"};
constexpr Statement kRows{"rows",
                          "SELECT r.feed, r.id, r.version, r.deleted, r.fields FROM (SELECT unnest($1::bigint[]) AS "
                          "feed, unnest($2::bytea[]) AS id) w JOIN feed_row r ON r.feed = w.feed AND r.id = w.id"};
constexpr Statement kRowsAfter{"rows_after",
                               "SELECT id, version, deleted, fields FROM feed_row WHERE feed = $1 AND version > $2 "
                               "ORDER BY version LIMIT $3"};
constexpr Statement kNotes{
    "notes", "SELECT n.name, n.value FROM (SELECT unnest($1::bytea[]) AS name) w JOIN note n ON n.name = w.name"};
constexpr Statement kNotesFrom{"notes_from",
                               "SELECT name, value FROM note WHERE name >= $1 AND name < $2 ORDER BY name"};
constexpr Statement kEvents{"events",
                            "SELECT w.n, e.events FROM (SELECT unnest($1::bigint[]) AS branch, unnest($2::bytea[]) AS "
                            "sku, unnest($3::bigint[]) AS hlc, unnest($4::bigint[]) AS n) w JOIN stock_events e ON "
                            "e.branch = w.branch AND e.sku = w.sku AND e.hlc >= w.hlc"};

constexpr std::int64_t kFirstChunk = 4, kLargestChunk = 1024;  // rows a round trip

Hash hash_of(ByteView bytes) {
  Hash hash;
  std::copy_n(bytes.begin(), std::min(bytes.size(), hash.bytes.size()), hash.bytes.begin());
  return hash;
}

Hash content_of(ByteView op_bytes) {
  const auto op = decode_op(op_bytes);
  return op ? content_hash(op->kind, op->body) : Hash{};
}

Column names_of(const std::vector<std::string>& names) {
  Column out(Column::Type::bytes);
  for (const std::string& name : names) out.add(ByteView(name));
  return out;
}

}  // namespace

void PostgresCloudTxn::expect(const std::function<CloudReads()>& what) {
  const CloudReads reads = what();
  read_shops(reads.shops);
  expect_keys(reads.keys);
  expect_notes(reads.notes);
  expect_rows(reads.rows);
  expect_events(reads.events);
}

void PostgresCloudTxn::read_shops(const std::vector<Shop>& shops) {
  Column tenants(Column::Type::bytes), names(Column::Type::bytes);
  for (const Shop& each : shops) {
    if (!shops_.try_emplace(each).second) continue;
    tenants.add(ByteView(each.tenant));
    names.add(ByteView(each.branch.text));
  }
  const auto rows = tenants.size() > 0 ? run(kShops, Values().add(tenants).add(names)) : std::nullopt;
  for (std::size_t i = 0; rows && i < rows->size(); ++i)
    shops_[{std::string(rows->bytes(i, 1)), {std::string(rows->bytes(i, 2))}}].id = rows->bigint(i, 0);
}

PostgresCloudTxn::ShopEntry& PostgresCloudTxn::shop(const Shop& of) {
  if (last_shop_.second == nullptr || last_shop_.first != of) {
    read_shops({of});
    last_shop_ = {of, &shops_[of]};
  }
  return *last_shop_.second;
}

std::map<ChainId, PostgresCloudTxn::ChainEntry>& PostgresCloudTxn::chains_of(const Shop& of) {
  ShopEntry& entry = shop(of);
  if (!std::exchange(entry.chains_known, true) && entry.id != 0) {
    const auto rows = run(kChains, Values().add(entry.id));
    for (std::size_t i = 0; rows && i < rows->size(); ++i) {
      const ChainId id{{std::string(rows->bytes(i, 1))}, {static_cast<std::uint64_t>(rows->bigint(i, 2))}};
      const ChainPoint point{{static_cast<std::uint64_t>(rows->bigint(i, 3))}, hash_of(rows->bytes(i, 4))};
      entry.chains[id] = {rows->bigint(i, 0), point, false};
    }
  }
  return entry.chains;
}

std::vector<std::pair<ChainId, ChainPoint>> PostgresCloudTxn::chains(const Shop& shop) {
  std::vector<std::pair<ChainId, ChainPoint>> out;
  for (const auto& [id, entry] : chains_of(shop)) {
    if (entry.point.seq.value > 0) out.emplace_back(id, entry.point);
  }
  return out;
}

std::optional<ChainPoint> PostgresCloudTxn::chain(const Shop& shop, const ChainId& chain) {
  const auto& all = chains_of(shop);
  const auto it = all.find(chain);
  return it == all.end() || it->second.point.seq.value == 0 ? std::nullopt : std::optional(it->second.point);
}

void PostgresCloudTxn::ops(const Shop& shop, const ChainId& chain, Seq from,
                           const std::function<bool(const CloudOp&)>& visit) {
  const auto& all = chains_of(shop);
  const auto it = all.find(chain);
  if (it == all.end()) return;
  flush_ops();
  for (std::int64_t chunk = kFirstChunk;; chunk = std::min(chunk * 16, kLargestChunk)) {
    const auto rows = run(kOps, Values().add(it->second.id).add(from.value).add(chunk));
    for (std::size_t i = 0; rows && i < rows->size(); ++i) {
      CloudOp op{chain,
                 {static_cast<std::uint64_t>(rows->bigint(i, 0))},
                 std::string(rows->bytes(i, 1)),
                 Bytes(rows->bytes(i, 2)),
                 static_cast<OpEffect>(rows->bigint(i, 3))};
      from = op.seq.next();
      if (!visit(op)) return;
    }
    if (!rows || rows->size() < static_cast<std::size_t>(chunk)) return;
  }
}

std::optional<CloudKey> PostgresCloudTxn::find_key(const Shop& of, const std::string& key) {
  ShopEntry& entry = shop(of);
  if (entry.id == 0 || key.empty()) return std::nullopt;
  const auto known = entry.keys.find(key);
  if (known != entry.keys.end()) return known->second;
  expect_keys({{of, key}});
  return entry.keys[key];
}

void PostgresCloudTxn::expect_keys(const std::vector<std::pair<Shop, std::string>>& wanted) {
  Column branches(Column::Type::bigint), keys(Column::Type::bytes);
  std::map<std::int64_t, ShopEntry*> by_id;
  for (const auto& [of, key] : wanted) {
    ShopEntry& entry = shop(of);
    if (entry.id == 0 || !entry.keys.try_emplace(key).second) continue;
    by_id[entry.id] = &entry;
    branches.add(entry.id);
    keys.add(ByteView(key));
  }
  const auto rows = keys.size() == 0 ? std::nullopt : run(kKeys, Values().add(branches).add(keys));
  for (std::size_t i = 0; rows && i < rows->size(); ++i) {
    by_id[rows->bigint(i, 0)]->keys[std::string(rows->bytes(i, 1))] =
        CloudKey{{{std::string(rows->bytes(i, 2))}, {static_cast<std::uint64_t>(rows->bigint(i, 3))}},
                 {static_cast<std::uint64_t>(rows->bigint(i, 4))},
                 content_of(rows->bytes(i, 5))};
  }
}

// Their kinds, and the counters of those that this transaction may write without another lock.
void PostgresCloudTxn::read_feeds(const std::vector<std::pair<Shop, std::string>>& wanted) {
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

PostgresCloudTxn::FeedEntries& PostgresCloudTxn::feeds(const Shop& shop, const std::string& feed) {
  const auto it = feeds_.find({shop.tenant, feed});
  if (it != feeds_.end()) return it->second;
  read_feeds({{shop, feed}});
  return feeds_[{shop.tenant, feed}];
}

PostgresCloudTxn::FeedEntry* PostgresCloudTxn::find_feed(const Shop& shop, const FeedKind& feed) {
  auto& kinds = feeds(shop, feed.feed).kinds;
  const auto it = kinds.find(feed.kind);
  return it == kinds.end() ? nullptr : &it->second;
}

std::vector<std::string> PostgresCloudTxn::kinds(const Shop& shop, const std::string& feed) {
  std::vector<std::string> out;
  for (const auto& [kind, entry] : feeds(shop, feed).kinds) out.push_back(kind);
  return out;
}

FeedRecord PostgresCloudTxn::feed(const Shop& shop, const FeedKind& feed) {
  const FeedEntry* entry = find_feed(shop, feed);
  return entry == nullptr ? FeedRecord{{options_.generation, {}}, 0, {}, 0} : entry->record;
}

std::optional<Row> PostgresCloudTxn::row(const Shop& shop, const FeedKind& feed, const std::string& id) {
  const FeedEntry* entry = find_feed(shop, feed);
  if (entry == nullptr) return std::nullopt;
  if (!entry->fresh && !rows_.contains({entry->id, id})) expect_rows({{shop, feed, id}});
  return rows_[{entry->id, id}].row;
}

void PostgresCloudTxn::expect_rows(const std::vector<CloudReads::RowName>& wanted) {
  std::vector<std::pair<Shop, std::string>> feeds;
  for (const auto& [shop, feed, id] : wanted) {
    if (feeds.empty() || feeds.back().first != shop || feeds.back().second != feed.feed)
      feeds.emplace_back(shop, feed.feed);
  }
  read_feeds(feeds);
  Column numbers(Column::Type::bigint), names(Column::Type::bytes);
  for (const auto& [shop, feed, id] : wanted) {
    const FeedEntry* entry = find_feed(shop, feed);
    if (entry == nullptr || !rows_.try_emplace({entry->id, id}).second) continue;
    numbers.add(entry->id);
    names.add(ByteView(id));
  }
  const auto rows = names.size() == 0 ? std::nullopt : run(kRows, Values().add(numbers).add(names));
  for (std::size_t i = 0; rows && i < rows->size(); ++i) {
    std::string id(rows->bytes(i, 1));
    rows_[{rows->bigint(i, 0), id}].row =
        Row{id, {static_cast<std::uint64_t>(rows->bigint(i, 2))}, rows->boolean(i, 3), Bytes(rows->bytes(i, 4))};
  }
}

void PostgresCloudTxn::rows_after(const Shop& shop, const FeedKind& feed, RowVersion after,
                                  const std::function<bool(const Row&)>& visit) {
  const FeedEntry* entry = find_feed(shop, feed);
  if (entry == nullptr) return;
  const std::int64_t id = entry->id;
  flush_rows();
  for (std::int64_t chunk = kFirstChunk;; chunk = std::min(chunk * 16, kLargestChunk)) {
    const auto rows = run(kRowsAfter, Values().add(id).add(after.value).add(chunk));
    for (std::size_t i = 0; rows && i < rows->size(); ++i) {
      const Row row{std::string(rows->bytes(i, 0)),
                    {static_cast<std::uint64_t>(rows->bigint(i, 1))},
                    rows->boolean(i, 2),
                    Bytes(rows->bytes(i, 3))};
      after = row.version;
      if (!visit(row)) return;
    }
    if (!rows || rows->size() < static_cast<std::size_t>(chunk)) return;
  }
}

std::vector<StockEvent> PostgresCloudTxn::open_packet(const Shop& shop, ByteView packet) {
  std::vector<StockEvent> out;
  const auto packed = unpack<Packed<PackedEvent>>(packet);
  if (!packed) return bug("a packet of stock events can't be read"), out;
  std::map<std::int64_t, ChainId> names;
  for (const auto& [id, entry] : chains_of(shop)) names[entry.id] = id;
  for (const PackedEvent& e : packed->all)
    out.push_back({e.hlc, names[e.chain], e.seq, e.is_count, e.milli, e.stocked});
  return out;
}

std::vector<StockEvent> PostgresCloudTxn::events_after(const Shop& of, const std::string& sku,
                                                       const StockPlace& after) {
  flush_events();
  const auto known = events_.find({of, sku});
  if (known == events_.end() || known->second.after > after) expect_events({{of, sku, after}});
  std::vector<StockEvent> out = events_[{of, sku}].all;
  std::erase_if(out, [&](const StockEvent& e) { return e.place() <= after; });
  std::ranges::sort(out, {}, &StockEvent::place);
  return out;
}

void PostgresCloudTxn::expect_events(const std::vector<CloudReads::EventsOf>& wanted) {
  if (wanted.empty()) return;
  flush_events();
  Column branches(Column::Type::bigint), skus(Column::Type::bytes), from(Column::Type::bigint),
      numbers(Column::Type::bigint);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    branches.add(shop(wanted[i].shop).id);
    skus.add(ByteView(wanted[i].sku));
    from.add(sorted(wanted[i].after.hlc.value));
    numbers.add(static_cast<std::int64_t>(i));
    events_[{wanted[i].shop, wanted[i].sku}] = {wanted[i].after, {}};
  }
  const auto rows = run(kEvents, Values().add(branches).add(skus).add(from).add(numbers));
  for (std::size_t i = 0; rows && i < rows->size(); ++i) {
    const auto& of = wanted[static_cast<std::size_t>(rows->bigint(i, 0))];
    auto packet = open_packet(of.shop, rows->bytes(i, 1));
    auto& all = events_[{of.shop, of.sku}].all;
    std::ranges::move(packet, std::back_inserter(all));
  }
}

std::vector<Shop> PostgresCloudTxn::shops() {
  std::vector<Shop> out;
  const auto rows = run(kAllShops, Values());
  for (std::size_t i = 0; rows && i < rows->size(); ++i)
    out.push_back({std::string(rows->bytes(i, 0)), {std::string(rows->bytes(i, 1))}});
  return out;
}

std::optional<Bytes> PostgresCloudTxn::note(const std::string& name) {
  if (!notes_.contains(name)) expect_notes({name});
  return notes_[name].value;
}

void PostgresCloudTxn::expect_notes(const std::vector<std::string>& wanted) {
  std::vector<std::string> names;
  for (const std::string& name : wanted) {
    if (notes_.try_emplace(name).second) names.push_back(name);
  }
  const auto rows = names.empty() ? std::nullopt : run(kNotes, Values().add(names_of(names)));
  for (std::size_t i = 0; rows && i < rows->size(); ++i)
    notes_[std::string(rows->bytes(i, 0))].value = Bytes(rows->bytes(i, 1));
}

void PostgresCloudTxn::notes(const std::string& prefix,
                             const std::function<void(const std::string&, ByteView)>& visit) {
  flush_notes();
  std::string end = prefix;
  end.back() = static_cast<char>(end.back() + 1);  // prefixes end in '/'
  const auto rows = run(kNotesFrom, Values().add(ByteView(prefix)).add(ByteView(end)));
  for (std::size_t i = 0; rows && i < rows->size(); ++i) visit(std::string(rows->bytes(i, 0)), rows->bytes(i, 1));
}

}  // namespace tillsync::postgres
