#include "storage/till_store.hpp"

#include <algorithm>

#include "storage/lmdb_records.hpp"
#include "storage/pack.hpp"
#include "storage/stock_events.hpp"

namespace tillsync {

namespace {

constexpr char kState[] = "state", kVault[] = "vault", kStrays[] = "strays", kKeys[] = "keys", kCashiers[] = "cashiers",
               kRows[] = "rows", kVersions[] = "row_versions", kFeeds[] = "feeds", kChains[] = "chains",
               kRelay[] = "relay", kSignatures[] = "signatures", kEvents[] = "event_packets", kStock[] = "stock",
               kNotes[] = "notes";

struct RowRecord {
  RowVersion version;
  std::uint64_t generation = 0;
  bool deleted = false;
  Binary fields_bytes;
  template <class A>
  void fields(A& a) {
    a(version, generation, deleted, fields_bytes);
  }
};

StoreKey vault_key(Incarnation incarnation, Seq seq) { return StoreKey().number(incarnation.value).number(seq.value); }
StoreKey feed_key(const FeedKind& feed) { return StoreKey().text(feed.feed).text(feed.kind); }
// With the id: two rows have the same version while one is of a generation that is on its way out.
StoreKey version_key(const FeedKind& feed, RowVersion version, const std::string& id) {
  return feed_key(feed).number(version.value).text(id);
}
Bytes stray_key(const ChainId& chain, const ChainPoint& end) {
  return StoreKey().chain(chain).number(end.seq.value).bytes() + Bytes(end.hash.view());
}
StoreKey group_key(const std::string& sku, const ChainId& chain) { return StoreKey().text(sku).chain(chain); }
StoreKey packet_key(const std::string& sku, const ChainId& chain, Seq seq) {
  return group_key(sku, chain).number(seq.value / kOpsOfPacket);
}
std::vector<StockEvent> read_packet(const ChainId& chain, ByteView value) {
  const auto packet = unpack<std::vector<PackedEvent>>(value).value_or(std::vector<PackedEvent>{});
  std::vector<StockEvent> out;
  out.reserve(packet.size());
  for (const PackedEvent& each : packet) out.push_back(each.of(chain));
  return out;
}

}  // namespace

void StoreBatch::put(const char* table, ByteView key, ByteView value) {
  bytes_ += key.size() + value.size();
  writes_.push_back({table, Bytes(key), Bytes(value)});
}

void StoreBatch::erase(const char* table, ByteView key) {
  bytes_ += key.size();
  writes_.push_back({table, Bytes(key), std::nullopt});
}

void StoreBatch::state(const TillState& state) { put(kState, "state", pack(state)); }

void StoreBatch::vault_op(const ChainId& chain, Seq seq, ByteView key, ByteView op) {
  put(kVault, vault_key(chain.incarnation, seq), op);
  put(kKeys, key, vault_key(chain.incarnation, seq));
}

void StoreBatch::vault_adopt(const ChainId& chain, Seq seq, ByteView key, ByteView op, bool note_key) {
  put(kVault, vault_key(chain.incarnation, seq), op);
  if (note_key) put(kKeys, key, vault_key(chain.incarnation, seq));
}

void StoreBatch::vault_drop(Incarnation incarnation, Seq seq, const std::string* key) {
  erase(kVault, vault_key(incarnation, seq));
  if (key != nullptr) erase(kKeys, *key);
}

void StoreBatch::cashier(const std::string& cashier, const Hash& last) { put(kCashiers, cashier, last.view()); }

void StoreBatch::row(const FeedKind& feed, std::uint64_t generation, const Row& row,
                     const std::optional<RowVersion>& old_version) {
  if (old_version) erase(kVersions, version_key(feed, *old_version, row.id));
  put(kRows, feed_key(feed).text(row.id), pack(RowRecord{row.version, generation, row.deleted, Binary(row.fields)}));
  put(kVersions, version_key(feed, row.version, row.id), row.id);
}

void StoreBatch::drop_row(const FeedKind& feed, const std::string& id, RowVersion version) {
  erase(kRows, feed_key(feed).text(id));
  erase(kVersions, version_key(feed, version, id));
}

void StoreBatch::feed(const FeedKind& feed, const FeedRecord& record) { put(kFeeds, feed_key(feed), pack(record)); }
void StoreBatch::chain(const ChainId& chain, const ChainRecord& r) { put(kChains, StoreKey().chain(chain), pack(r)); }
void StoreBatch::relay_op(const ChainId& chain, Seq seq, ByteView op) {
  put(kRelay, StoreKey().chain(chain).number(seq.value), op);
}
void StoreBatch::relay_signature(const ChainId& chain, Seq seq, ByteView signature) {
  put(kSignatures, StoreKey().chain(chain).number(seq.value), signature);
}
void StoreBatch::stray(const ChainId& chain, const ChainPoint& end, ByteView batch) {
  put(kStrays, stray_key(chain, end), batch);
}

void StoreBatch::drop_stray(const ChainId& chain, const ChainPoint& end) { erase(kStrays, stray_key(chain, end)); }

void StoreBatch::relay_forget(const ChainId& chain, Seq seq) {
  erase(kRelay, StoreKey().chain(chain).number(seq.value));
  erase(kSignatures, StoreKey().chain(chain).number(seq.value));
}
void StoreBatch::event_packet(const std::string& sku, const ChainId& chain, Seq seq,
                              const std::vector<StockEvent>& events) {
  if (events.empty()) return erase(kEvents, packet_key(sku, chain, seq));
  std::vector<PackedEvent> packet;
  for (const StockEvent& e : events) packet.push_back(PackedEvent::from(e));
  put(kEvents, packet_key(sku, chain, seq), pack(packet));
}
void StoreBatch::stock(const std::string& sku, const StockProjection& p) { put(kStock, sku, pack(p)); }
void StoreBatch::note(const std::string& name, ByteView value) { put(kNotes, name, value); }

TillView::TillView(TillStore& store) : store_(store), txn_(*store.env_) {}

TillView::~TillView() {
  if (!txn_.ok()) store_.damaged_ = true;
}

std::optional<TillState> TillView::state() { return lmdb::find<TillState>(txn_, store_.env_->table(kState), "state"); }

std::optional<Bytes> TillView::op(Incarnation incarnation, Seq seq) {
  auto raw = txn_.get(store_.env_->table(kVault), vault_key(incarnation, seq));
  return raw ? std::optional(Bytes(*raw)) : std::nullopt;
}

std::optional<TillView::Place> TillView::find_key(ByteView key) {
  auto raw = txn_.get(store_.env_->table(kKeys), key);
  if (!raw) return std::nullopt;
  StoreKeyReader reader(*raw);
  Place place;
  place.incarnation.value = reader.number();
  place.seq.value = reader.number();
  return place;
}

void TillView::ops(Incarnation incarnation, Seq from, const std::function<bool(Seq, ByteView)>& visit) {
  const StoreKey prefix = StoreKey().number(incarnation.value);
  txn_.scan(store_.env_->table(kVault), vault_key(incarnation, from), [&](ByteView key, ByteView value) {
    return starts_with(key, prefix) && visit(Seq{StoreKeyReader(key.substr(8)).number()}, value);
  });
}

void TillView::all_ops(Incarnation incarnation, Seq from,
                       const std::function<bool(Incarnation, Seq, ByteView)>& visit) {
  txn_.scan(store_.env_->table(kVault), vault_key(incarnation, from), [&](ByteView key, ByteView value) {
    StoreKeyReader reader(key);
    const Incarnation each{reader.number()};
    return visit(each, Seq{reader.number()}, value);
  });
}

std::optional<Hash> TillView::cashier(const std::string& cashier) {
  auto raw = txn_.get(store_.env_->table(kCashiers), cashier);
  Hash hash;
  if (!raw || raw->size() != hash.bytes.size()) return std::nullopt;
  std::copy(raw->begin(), raw->end(), hash.bytes.begin());
  return hash;
}

std::optional<TillView::StoredRow> TillView::row(const FeedKind& feed, const std::string& id) {
  auto record = lmdb::find<RowRecord>(txn_, store_.env_->table(kRows), feed_key(feed).text(id));
  if (!record) return std::nullopt;
  return StoredRow{{id, record->version, record->deleted, std::move(record->fields_bytes)}, record->generation};
}

void TillView::rows_after(const FeedKind& feed, RowVersion after, const std::function<bool(const StoredRow&)>& visit) {
  const StoreKey prefix = feed_key(feed);
  txn_.scan(store_.env_->table(kVersions), feed_key(feed).number(after.value + 1), [&](ByteView key, ByteView id) {
    if (!starts_with(key, prefix)) return false;
    auto stored = row(feed, std::string(id));
    const bool there =
        stored && stored->row.version.value == StoreKeyReader(key.substr(prefix.bytes().size())).number();
    return !there || visit(*stored);
  });
}

std::optional<FeedRecord> TillView::feed(const FeedKind& feed) {
  return lmdb::find<FeedRecord>(txn_, store_.env_->table(kFeeds), feed_key(feed));
}

std::vector<std::pair<FeedKind, FeedRecord>> TillView::feeds() {
  std::vector<std::pair<FeedKind, FeedRecord>> out;
  txn_.scan(store_.env_->table(kFeeds), {}, [&](ByteView key, ByteView value) {
    StoreKeyReader reader(key);
    FeedKind feed;
    feed.feed = reader.text();
    feed.kind = reader.text();
    if (auto record = unpack<FeedRecord>(value)) out.emplace_back(std::move(feed), *record);
    return true;
  });
  return out;
}

std::uint64_t TillView::op_count() { return txn_.entries(store_.env_->table(kVault)); }

std::uint64_t TillView::row_count() { return txn_.entries(store_.env_->table(kRows)); }

std::vector<std::pair<ChainId, ChainRecord>> TillView::chains() {
  std::vector<std::pair<ChainId, ChainRecord>> out;
  txn_.scan(store_.env_->table(kChains), {}, [&](ByteView key, ByteView value) {
    if (auto record = unpack<ChainRecord>(value)) out.emplace_back(StoreKeyReader(key).chain(), *record);
    return true;
  });
  return out;
}

void TillView::relay_ops(const ChainId& chain, Seq from, const std::function<bool(Seq, ByteView)>& visit) {
  const StoreKey prefix = StoreKey().chain(chain);
  txn_.scan(store_.env_->table(kRelay), StoreKey(prefix).number(from.value), [&](ByteView key, ByteView value) {
    return starts_with(key, prefix) && visit(Seq{StoreKeyReader(key.substr(prefix.bytes().size())).number()}, value);
  });
}

std::optional<std::pair<Seq, Bytes>> TillView::relay_signature(const ChainId& chain, Seq from) {
  const StoreKey prefix = StoreKey().chain(chain);
  std::optional<std::pair<Seq, Bytes>> found;
  txn_.scan(store_.env_->table(kSignatures), StoreKey(prefix).number(from.value), [&](ByteView key, ByteView value) {
    if (starts_with(key, prefix)) {
      found.emplace(Seq{StoreKeyReader(key.substr(prefix.bytes().size())).number()}, Bytes(value));
    }
    return false;
  });
  return found;
}

std::optional<std::pair<Seq, Bytes>> TillView::relay_signature_within(const ChainId& chain, Seq from, Seq to) {
  const StoreKey prefix = StoreKey().chain(chain);
  auto entry = txn_.last_before(store_.env_->table(kSignatures), StoreKey(prefix).number(to.value + 1));
  if (!entry || !starts_with(entry->first, prefix)) return std::nullopt;
  const Seq seq{StoreKeyReader(ByteView(entry->first).substr(prefix.bytes().size())).number()};
  if (seq < from) return std::nullopt;
  return std::pair(seq, std::move(entry->second));
}

void TillView::strays(const std::function<void(const ChainId&, const ChainPoint&)>& visit) {
  txn_.scan(store_.env_->table(kStrays), {}, [&](ByteView key, ByteView) {
    StoreKeyReader reader(key);
    const ChainId chain = reader.chain();
    ChainPoint end;
    end.seq.value = reader.number();
    const ByteView hash = key.substr(key.size() - end.hash.bytes.size());
    std::copy(hash.begin(), hash.end(), end.hash.bytes.begin());
    visit(chain, end);
    return true;
  });
}

std::optional<Bytes> TillView::stray(const ChainId& chain, const ChainPoint& end) {
  auto raw = txn_.get(store_.env_->table(kStrays), stray_key(chain, end));
  return raw ? std::optional(Bytes(*raw)) : std::nullopt;
}

std::vector<StockEvent> TillView::events(const std::string& sku) {
  std::vector<StockEvent> out;
  const StoreKey prefix = StoreKey().text(sku);
  txn_.scan(store_.env_->table(kEvents), prefix, [&](ByteView key, ByteView value) {
    if (!starts_with(key, prefix)) return false;
    const auto packet = read_packet(StoreKeyReader(key.substr(prefix.bytes().size())).chain(), value);
    out.insert(out.end(), packet.begin(), packet.end());
    return true;
  });
  std::sort(out.begin(), out.end());
  return out;
}

void TillView::event_packets(const std::string& sku, const ChainId& chain, Seq from, Seq to,
                             const std::function<void(Seq, std::vector<StockEvent>)>& visit) {
  const StoreKey prefix = group_key(sku, chain);
  txn_.scan(store_.env_->table(kEvents), packet_key(sku, chain, from), [&](ByteView key, ByteView value) {
    if (!starts_with(key, prefix)) return false;
    const Seq first{StoreKeyReader(key.substr(prefix.bytes().size())).number() * kOpsOfPacket};
    if (first > to) return false;
    visit(first, read_packet(chain, value));
    return true;
  });
}

void TillView::events_of(const std::string& sku, const ChainId& chain, Seq from, Seq to,
                         const std::function<void(const StockEvent&)>& visit) {
  event_packets(sku, chain, from, to, [&](Seq, const std::vector<StockEvent>& packet) {
    for (const StockEvent& event : packet) {
      if (event.seq >= from && event.seq <= to) visit(event);
    }
  });
}

void TillView::event_groups(const std::function<void(const std::string&, const ChainId&, Seq)>& visit) {
  const lmdb::Table& table = store_.env_->table(kEvents);
  for (Bytes from;;) {
    std::string sku;
    ChainId chain;
    bool found = false;
    txn_.scan(table, from, [&](ByteView key, ByteView) {
      StoreKeyReader reader(key);
      sku = reader.text(), chain = reader.chain();
      found = true;
      return false;
    });
    if (!found) return;
    from = StoreKey(group_key(sku, chain)).number(~std::uint64_t{0});
    const auto last = txn_.last_before(table, from);
    Seq seq;
    if (last) {
      for (const StockEvent& event : read_packet(chain, last->second)) seq = std::max(seq, event.seq);
    }
    visit(sku, chain, seq);
  }
}

std::vector<StockEvent> TillView::event_packet(const std::string& sku, const ChainId& chain, Seq seq) {
  const auto raw = txn_.get(store_.env_->table(kEvents), packet_key(sku, chain, seq));
  return raw ? read_packet(chain, *raw) : std::vector<StockEvent>{};
}

std::optional<StockProjection> TillView::stock(const std::string& sku) {
  return lmdb::find<StockProjection>(txn_, store_.env_->table(kStock), sku);
}

void TillView::stocks(const std::function<void(const std::string&, const StockProjection&)>& visit) {
  txn_.scan(store_.env_->table(kStock), {}, [&](ByteView sku, ByteView value) {
    if (auto projection = unpack<StockProjection>(value)) visit(std::string(sku), *projection);
    return true;
  });
}

std::optional<Bytes> TillView::note(const std::string& name) {
  auto raw = txn_.get(store_.env_->table(kNotes), name);
  return raw ? std::optional(Bytes(*raw)) : std::nullopt;
}

Result<std::unique_ptr<TillStore>> TillStore::open(const std::string& folder) {
  auto env = lmdb::Env::open(folder, {kState, kVault, kStrays, kKeys, kCashiers, kRows, kVersions, kFeeds, kChains,
                                      kRelay, kSignatures, kEvents, kStock, kNotes});
  if (!env) return tl::unexpected(env.error());
  return std::unique_ptr<TillStore>(new TillStore(std::move(*env)));
}

Result<void> TillStore::commit(const StoreBatch& batch) {
  return env_->write([&](lmdb::WriteTxn& txn) -> Result<void> {
    for (const StoreBatch::Write& write : batch.writes()) {
      const lmdb::Table& table = env_->table(write.table);
      write.value ? txn.put(table, write.key, *write.value) : txn.erase(table, write.key);
    }
    return {};
  });
}

}  // namespace tillsync
