#include <algorithm>

#include "storage/postgres/cloud_txn.hpp"
#include "storage/postgres/numbers.hpp"
#include "storage/postgres/packets.hpp"
#include "storage/postgres/told.hpp"

namespace tillsync::postgres {

namespace {

constexpr Statement kMakeShops{"make_shops",
                               "INSERT INTO branch (tenant, name) SELECT unnest($1::bytea[]), unnest($2::bytea[]) ON "
                               "CONFLICT DO NOTHING"};
// In the order of their ids: two writers never wait for each other in a circle.
constexpr Statement kLockShops{
    "lock_shops",
    "SELECT b.id, b.tenant, b.name FROM branch b JOIN (SELECT unnest($1::bytea[]) AS tenant, "
    "unnest($2::bytea[]) AS name) w ON b.tenant = w.tenant AND b.name = w.name ORDER BY "
    "b.id FOR UPDATE OF b"};
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
constexpr Statement kMakeChain{"make_chain",
                               "INSERT INTO chain (branch, till, incarnation, seq, hash) VALUES ($1, $2, $3, 0, '') "
                               "RETURNING id"};
constexpr Statement kSetChains{"set_chains",
                               "UPDATE chain c SET seq = w.seq, hash = w.hash FROM (SELECT unnest($1::bigint[]) AS "
                               "id, unnest($2::bigint[]) AS seq, unnest($3::bytea[]) AS hash) w WHERE c.id = w.id"};
constexpr Statement kAddOps{"add_ops",
                            "INSERT INTO op (chain, seq, branch, effect, key, body) SELECT unnest($1::bigint[]), "
                            "unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::bigint[]), unnest($5::bytea[]), "
                            "unnest($6::bytea[])"};
constexpr Statement kPutOps{
    "put_ops",
    "INSERT INTO op (chain, seq, branch, effect, key, body) SELECT unnest($1::bigint[]), "
    "unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::bigint[]), unnest($5::bytea[]), "
    "unnest($6::bytea[]) ON CONFLICT (chain, seq) DO UPDATE SET effect = excluded.effect, key = "
    "excluded.key, body = excluded.body"};
constexpr Statement kPutEvents{"put_events",
                               "INSERT INTO stock_events (branch, sku, hlc, events) SELECT unnest($1::bigint[]), "
                               "unnest($2::bytea[]), unnest($3::bigint[]), unnest($4::bytea[])"};
constexpr Statement kPackets{"packets",
                             "SELECT hlc, id, events FROM stock_events WHERE branch = $1 AND sku = $2 AND hlc >= $3"};
constexpr Statement kChangePacket{"change_packet",
                                  "UPDATE stock_events SET events = $5 WHERE branch = $1 AND sku = $2 AND hlc = $3 AND "
                                  "id = $4"};
constexpr Statement kPutRows{"put_rows",
                             "INSERT INTO feed_row (feed, id, version, deleted, fields) SELECT unnest($1::bigint[]), "
                             "unnest($2::bytea[]), unnest($3::bigint[]), unnest($4::boolean[]), unnest($5::bytea[]) ON "
                             "CONFLICT (feed, id) DO UPDATE SET version = excluded.version, deleted = "
                             "excluded.deleted, fields = excluded.fields"};
constexpr Statement kForgetTombstones{"forget_tombstones",
                                      "DELETE FROM feed_row WHERE feed = $1 AND deleted AND version <= (SELECT version "
                                      "FROM feed_row WHERE feed = $1 AND deleted ORDER BY version OFFSET $2 LIMIT 1) "
                                      "RETURNING id, version"};
constexpr Statement kPutNotes{"put_notes",
                              "INSERT INTO note (name, value) SELECT unnest($1::bytea[]), unnest($2::bytea[]) ON "
                              "CONFLICT (name) DO UPDATE SET value = excluded.value"};
constexpr Statement kTell{"tell", "SELECT pg_notify('tillsync', $1)"};

constexpr auto kBytes = Column::Type::bytes;
constexpr auto kBigint = Column::Type::bigint;
constexpr auto kBoolean = Column::Type::boolean;

}  // namespace

PostgresCloudTxn::PostgresCloudTxn(Connection& db, bool writes, CloudTxnOptions options)
    : db_(db), writes_(writes), options_(std::move(options)) {}

void PostgresCloudTxn::begin() {
  db_.send_text(writes_ ? "BEGIN ISOLATION LEVEL READ COMMITTED" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
}

void PostgresCloudTxn::commit() {
  if (writes_) {
    flush_all();
    for (const auto& [tenant, what] : told())
      db_.send(kTell, Values().add(ByteView(encode_told({options_.process, tenant, what}))));
    (void)sync();  // up to here it is known that nothing has happened
  }
  if (fault_) return;
  commit_sent_ = true;
  db_.send_text("COMMIT");
  (void)sync();
}

void PostgresCloudTxn::roll_back() {
  if (db_.good()) (void)db_.sync();  // what was still under way
  if (db_.good()) (void)db_.run_text("ROLLBACK");
}

std::optional<Error> PostgresCloudTxn::error() const { return fault_ ? std::optional(fault_->error) : std::nullopt; }

void PostgresCloudTxn::fail_with(Fault fault) {
  if (!fault_) fault_ = std::move(fault);
}

void PostgresCloudTxn::bug(const std::string& what) {
  fail_with({Fault::Kind::failed, {ErrorKind::io, "a fault in this program: " + what, {}}});
}

std::optional<Rows> PostgresCloudTxn::run(const Statement& statement, const Values& values) {
  if (fault_) return std::nullopt;
  db_.send(statement, values);
  auto done = sync();
  return done.empty() ? std::nullopt : std::optional(std::move(done.back()));
}

std::vector<Rows> PostgresCloudTxn::sync() {
  auto done = db_.sync();
  if (done) return std::move(*done);
  fail_with(std::move(done.error()));
  return {};
}

void PostgresCloudTxn::lock(const std::vector<Shop>& shops) {
  if (!writes_) return;
  Column tenants(kBytes), names(kBytes);
  for (const Shop& each : std::set<Shop>(shops.begin(), shops.end())) {
    ShopEntry& entry = shops_[each];
    if (entry.locked) continue;
    entry = {};  // what was read before may be old
    entry.locked = true;
    tenants.add(ByteView(each.tenant));
    names.add(ByteView(each.branch.text));
  }
  if (tenants.size() == 0) return;
  const Values values = Values().add(tenants).add(names);
  auto rows = run(kLockShops, values);
  if (rows && rows->size() < tenants.size()) {
    (void)run(kMakeShops, values);
    rows = run(kLockShops, values);
  }
  for (std::size_t i = 0; rows && i < rows->size(); ++i)
    shops_[{std::string(rows->bytes(i, 1)), {std::string(rows->bytes(i, 2))}}].id = rows->bigint(i, 0);
}

PostgresCloudTxn::ShopEntry& PostgresCloudTxn::held(const Shop& of) {
  ShopEntry& entry = shop(of);
  if (!entry.locked) bug("branch " + of.branch.text + " is changed without being locked");
  return entry;
}

// Nobody writes the feed of a branch but who holds the branch: its counter needs no lock of its own.
bool PostgresCloudTxn::own_feed(const Shop& of, const std::string& feed) {
  return feed == "branch/" + of.branch.text && shops_[of].locked;
}

void PostgresCloudTxn::lock_feed(const Shop& shop, const std::string& feed) {
  if (!writes_) return;
  const FeedName name{shop.tenant, feed};
  if (own_feed(shop, feed)) {
    if (feeds(shop, feed).last) return;
  } else if (const auto known = feeds_.find(name); known != feeds_.end()) {
    if (known->second.locked) return;
    for (const auto& [kind, entry] : known->second.kinds)  // what was read before may be old
      std::erase_if(rows_, [id = entry.id](const auto& row) { return row.first.first == id; });
    feeds_.erase(known);
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

PostgresCloudTxn::ChainEntry& PostgresCloudTxn::chain_to_write(const Shop& shop, const ChainId& chain) {
  ChainEntry& entry = (held(shop), chains_of(shop)[chain]);
  if (entry.id == 0) {
    const auto made =
        run(kMakeChain, Values().add(held(shop).id).add(ByteView(chain.till.text)).add(chain.incarnation.value));
    if (made) entry.id = made->bigint(0, 0);
  }
  return entry;
}

void PostgresCloudTxn::put_chain(const Shop& shop, const ChainId& chain, const ChainPoint& point) {
  ChainEntry& entry = chain_to_write(shop, chain);
  entry.point = point;
  entry.dirty = true;
}

void PostgresCloudTxn::put_op(const Shop& shop, const CloudOp& op, const Hash& content) {
  const ChainEntry& chain = chain_to_write(shop, op.chain);
  ShopEntry& entry = held(shop);
  const std::pair place(chain.id, op.seq.value);
  auto& ops = op.seq > chain.point.seq && !new_ops_.contains(place) ? new_ops_ : changed_ops_;
  ops[place] = {entry.id, op};
  if (op.effect == OpEffect::applied && !op.key.empty()) entry.keys[op.key] = CloudKey{op.chain, op.seq, content};
}

void PostgresCloudTxn::put_events(const Shop& of, const std::string& sku, const std::vector<StockEvent>& events) {
  if (events.empty()) return;
  Packed<PackedEvent> packet;
  for (const StockEvent& e : events)
    packet.all.push_back({e.hlc, chain_to_write(of, e.chain).id, e.seq, e.is_count, e.milli, e.stocked});
  const Hlc last = std::ranges::max(packet.all, {}, &PackedEvent::hlc).hlc;
  packets_.branches.add(shop(of).id);
  packets_.skus.add(ByteView(sku));
  packets_.hlcs.add(sorted(last.value));
  packets_.events.add(ByteView(pack(packet)));
  events_.clear();
}

// From whatever packet it lies in, whose stamp stays, as a bound.
void PostgresCloudTxn::drop_event(const Shop& of, const std::string& sku, const StockPlace& place) {
  const std::int64_t branch = held(of).id, chain = chain_to_write(of, {place.till, place.incarnation}).id;
  flush_events();
  events_.clear();
  const auto rows = run(kPackets, Values().add(branch).add(ByteView(sku)).add(sorted(place.hlc.value)));
  for (std::size_t i = 0; rows && i < rows->size(); ++i) {
    auto packet = unpack<Packed<PackedEvent>>(rows->bytes(i, 2)).value_or(Packed<PackedEvent>{});
    const auto gone = std::erase_if(
        packet.all, [&](const PackedEvent& e) { return e.hlc == place.hlc && e.chain == chain && e.seq == place.seq; });
    if (gone == 0) continue;
    db_.send(kChangePacket, Values()
                                .add(branch)
                                .add(ByteView(sku))
                                .add(rows->bigint(i, 0))
                                .add(rows->bigint(i, 1))
                                .add(ByteView(pack(packet))));
    return;
  }
}

PostgresCloudTxn::FeedEntry& PostgresCloudTxn::feed_to_write(const Shop& shop, const FeedKind& feed) {
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

void PostgresCloudTxn::put_row(const Shop& shop, const CloudRow& change) {
  FeedEntry& entry = feed_to_write(shop, change.feed);
  FeedEntries& feed = feeds(shop, change.feed.feed);
  (void)row(shop, change.feed, change.id);
  RowEntry& stored = rows_[{entry.id, change.id}];
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
  dirty_rows_.insert({entry.id, change.id});
  tell({shop.tenant, change.feed.feed});
  if (entry.record.tombstones > 2 * options_.tombstones_kept) forget_tombstones(entry);
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

void PostgresCloudTxn::put_note(const std::string& name, ByteView value) {
  notes_[name].value = Bytes(value);
  dirty_notes_.insert(name);
}

void PostgresCloudTxn::flush_all() {
  flush_ops();
  flush_chains();
  flush_events();
  flush_rows();
  flush_feeds();
  flush_notes();
}

void PostgresCloudTxn::flush_chains() {
  Column ids(kBigint), seqs(kBigint), hashes(kBytes);
  for (auto& [shop, entry] : shops_) {
    for (auto& [id, chain] : entry.chains) {
      if (!std::exchange(chain.dirty, false)) continue;
      ids.add(chain.id);
      seqs.add(static_cast<std::int64_t>(chain.point.seq.value));
      hashes.add(chain.point.hash.view());
    }
  }
  if (ids.size() > 0) db_.send(kSetChains, Values().add(ids).add(seqs).add(hashes));
}

void PostgresCloudTxn::flush_ops() {
  for (auto* ops : {&new_ops_, &changed_ops_}) {
    if (ops->empty()) continue;
    Column chains(kBigint), seqs(kBigint), branches(kBigint), effects(kBigint), keys(kBytes), bodies(kBytes);
    for (const auto& [place, op] : *ops) {
      chains.add(place.first);
      seqs.add(static_cast<std::int64_t>(place.second));
      branches.add(op.branch);
      effects.add(static_cast<std::int64_t>(op.op.effect));
      keys.add(ByteView(op.op.key));
      bodies.add(ByteView(op.op.bytes));
    }
    db_.send(ops == &new_ops_ ? kAddOps : kPutOps,
             Values().add(chains).add(seqs).add(branches).add(effects).add(keys).add(bodies));
    ops->clear();
  }
}

void PostgresCloudTxn::flush_events() {
  const Packets p = std::exchange(packets_, {});
  if (p.hlcs.size() > 0) db_.send(kPutEvents, Values().add(p.branches).add(p.skus).add(p.hlcs).add(p.events));
}

void PostgresCloudTxn::flush_rows() {
  if (dirty_rows_.empty()) return;
  Column feeds(kBigint), ids(kBytes), versions(kBigint), deleted(kBoolean), fields(kBytes);
  for (const RowKey& key : dirty_rows_) {
    const auto& row = rows_[key].row;
    if (!row) continue;  // a tombstone that went in this transaction
    feeds.add(key.first);
    ids.add(ByteView(row->id));
    versions.add(static_cast<std::int64_t>(row->version.value));
    deleted.add(row->deleted);
    fields.add(ByteView(row->fields));
  }
  dirty_rows_.clear();
  db_.send(kPutRows, Values().add(feeds).add(ids).add(versions).add(deleted).add(fields));
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

void PostgresCloudTxn::flush_notes() {
  if (dirty_notes_.empty()) return;
  Column names(kBytes), values(kBytes);
  for (const std::string& name : dirty_notes_) {
    names.add(ByteView(name));
    values.add(ByteView(*notes_[name].value));
  }
  dirty_notes_.clear();
  db_.send(kPutNotes, Values().add(names).add(values));
}

}  // namespace tillsync::postgres
