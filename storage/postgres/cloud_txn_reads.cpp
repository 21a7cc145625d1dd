#include <algorithm>

#include "storage/postgres/cloud_txn.hpp"
#include "storage/postgres/numbers.hpp"

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
                          "SELECT o.key, c.till, c.incarnation, o.seq, o.content FROM op o JOIN chain c ON c.id = "
                          "o.chain WHERE o.branch = $1 AND o.key = ANY($2::bytea[]) AND o.effect = 0 AND o.key <> ''"};
constexpr Statement kFeeds{"feeds",
                           "SELECT id, kind, generation, version, live_sum, horizon, tombstones FROM feed WHERE tenant "
                           "= $1 AND feed = $2"};
constexpr Statement kRows{"rows",
                          "SELECT id, version, deleted, fields FROM feed_row WHERE feed = $1 AND id = "
                          "ANY($2::bytea[])"};
constexpr Statement kRowsAfter{"rows_after",
                               "SELECT id, version, deleted, fields FROM feed_row WHERE feed = $1 AND version > $2 "
                               "ORDER BY version LIMIT $3"};
constexpr Statement kNotes{"notes", "SELECT name, value FROM note WHERE name = ANY($1::bytea[])"};
constexpr Statement kNotesFrom{"notes_from",
                               "SELECT name, value FROM note WHERE name >= $1 AND name < $2 ORDER BY name"};
constexpr Statement kEvents{"events",
                            "SELECT e.hlc, c.till, c.incarnation, e.seq, e.milli, e.is_count, e.stocked FROM "
                            "stock_event e JOIN chain c ON c.id = e.chain WHERE e.branch = $1 AND e.sku = $2 AND e.hlc "
                            ">= $3"};
constexpr Statement kManyEvents{
    "many_events",
    "SELECT e.hlc, c.till, c.incarnation, e.seq, e.milli, e.is_count, e.stocked, w.n FROM (SELECT unnest($1::bigint[]) "
    "AS branch, unnest($2::bytea[]) AS sku, unnest($3::bigint[]) AS hlc, unnest($4::bigint[]) AS n) w JOIN stock_event "
    "e ON e.branch = w.branch AND e.sku = w.sku AND e.hlc >= w.hlc JOIN chain c ON c.id = e.chain"};

constexpr std::int64_t kFirstChunk = 4, kLargestChunk = 1024;  // rows a round trip

Hash hash_of(ByteView bytes) {
  Hash hash;
  std::copy_n(bytes.begin(), std::min(bytes.size(), hash.bytes.size()), hash.bytes.begin());
  return hash;
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

PostgresCloudTxn::ShopEntry& PostgresCloudTxn::shop(const Shop& shop) {
  read_shops({shop});
  return shops_[shop];
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
  const std::int64_t branch = shop(of).id;
  if (branch == 0 || key.empty()) return std::nullopt;
  if (!keys_.contains({branch, key})) expect_keys({{of, key}});
  return keys_[{branch, key}];
}

void PostgresCloudTxn::expect_keys(const std::vector<std::pair<Shop, std::string>>& wanted) {
  std::map<std::int64_t, std::vector<std::string>> by_branch;
  for (const auto& [of, key] : wanted) {
    const std::int64_t branch = shop(of).id;
    if (branch != 0 && keys_.try_emplace({branch, key}).second) by_branch[branch].push_back(key);
  }
  for (const auto& [branch, keys] : by_branch) db_.send(kKeys, Values().add(branch).add(names_of(keys)));
  if (by_branch.empty()) return;
  const auto found = sync();
  auto branch = by_branch.begin();
  for (const Rows& rows : found) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      keys_[{branch->first, std::string(rows.bytes(i, 0))}] =
          CloudKey{{{std::string(rows.bytes(i, 1))}, {static_cast<std::uint64_t>(rows.bigint(i, 2))}},
                   {static_cast<std::uint64_t>(rows.bigint(i, 3))},
                   hash_of(rows.bytes(i, 4))};
    }
    ++branch;
  }
}

void PostgresCloudTxn::read_feeds(const Rows& rows, FeedEntries& into) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    FeedEntry& entry = into.kinds[std::string(rows.bytes(i, 1))];
    entry.id = rows.bigint(i, 0);
    entry.record.watermark = {static_cast<std::uint64_t>(rows.bigint(i, 2)),
                              {static_cast<std::uint64_t>(rows.bigint(i, 3))}};
    entry.record.live_sum = static_cast<std::uint64_t>(rows.bigint(i, 4));
    entry.record.horizon = {static_cast<std::uint64_t>(rows.bigint(i, 5))};
    entry.record.tombstones = static_cast<std::uint64_t>(rows.bigint(i, 6));
  }
}

PostgresCloudTxn::FeedEntries& PostgresCloudTxn::feeds(const Shop& shop, const std::string& feed) {
  const auto [it, fresh] = feeds_.try_emplace({shop.tenant, feed});
  if (fresh) {
    if (const auto rows = run(kFeeds, Values().add(ByteView(shop.tenant)).add(ByteView(feed))))
      read_feeds(*rows, it->second);
  }
  return it->second;
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
  if (!rows_.contains({entry->id, id})) read_rows(entry->id, {id});
  return rows_[{entry->id, id}].row;
}

void PostgresCloudTxn::read_rows(std::int64_t feed, const std::vector<std::string>& ids) {
  const auto rows = run(kRows, Values().add(feed).add(names_of(ids)));
  for (const std::string& id : ids) rows_.try_emplace({feed, id});
  for (std::size_t i = 0; rows && i < rows->size(); ++i) {
    std::string id(rows->bytes(i, 0));
    rows_[{feed, id}].row =
        Row{id, {static_cast<std::uint64_t>(rows->bigint(i, 1))}, rows->boolean(i, 2), Bytes(rows->bytes(i, 3))};
  }
}

void PostgresCloudTxn::expect_rows(const std::vector<CloudReads::RowName>& wanted) {
  std::map<std::int64_t, std::vector<std::string>> by_feed;
  for (const auto& [shop, feed, id] : wanted) {
    const FeedEntry* entry = find_feed(shop, feed);
    if (entry != nullptr && !rows_.contains({entry->id, id})) by_feed[entry->id].push_back(id);
  }
  for (const auto& [feed, ids] : by_feed) read_rows(feed, ids);
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

std::vector<StockEvent> PostgresCloudTxn::read_events(const Rows& rows, int at) const {
  std::vector<StockEvent> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out.push_back({Hlc{unsorted(rows.bigint(i, at))},
                   {{std::string(rows.bytes(i, at + 1))}, {static_cast<std::uint64_t>(rows.bigint(i, at + 2))}},
                   {static_cast<std::uint64_t>(rows.bigint(i, at + 3))},
                   rows.boolean(i, at + 5),
                   rows.bigint(i, at + 4),
                   rows.boolean(i, at + 6)});
  }
  return out;
}

std::vector<StockEvent> PostgresCloudTxn::events_after(const Shop& of, const std::string& sku,
                                                       const StockPlace& after) {
  std::vector<StockEvent> out;
  flush_events();
  const auto known = events_.find({of, sku});
  if (known != events_.end() && known->second.after <= after) {
    out = known->second.all;
  } else if (const std::int64_t branch = shop(of).id; branch != 0) {
    const auto rows = run(kEvents, Values().add(branch).add(ByteView(sku)).add(sorted(after.hlc.value)));
    if (rows) out = read_events(*rows, 0);
  }
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
  const auto rows = run(kManyEvents, Values().add(branches).add(skus).add(from).add(numbers));
  if (!rows) return;
  const auto found = read_events(*rows, 0);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto& of = wanted[static_cast<std::size_t>(rows->bigint(i, 7))];
    events_[{of.shop, of.sku}].all.push_back(found[i]);
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
