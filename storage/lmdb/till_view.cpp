#include <algorithm>

#include "storage/lmdb/lmdb_records.hpp"
#include "storage/lmdb/till_store.hpp"
#include "storage/lmdb/till_tables.hpp"

namespace tillsync {

using namespace till_tables;

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
  auto raw = txn_.get(store_.env_->table(kKeys), lone_key(key));
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
  auto raw = txn_.get(store_.env_->table(kCashiers), lone_key(cashier));
  Hash hash;
  if (!raw || raw->size() != hash.bytes.size()) return std::nullopt;
  std::copy(raw->begin(), raw->end(), hash.bytes.begin());
  return hash;
}

std::optional<TillView::StoredRow> TillView::row(const FeedKind& feed, const std::string& id) {
  auto record = lmdb::find<RowRecord>(txn_, store_.env_->table(kRows), row_key(feed, id));
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

void TillView::divergent(const std::function<void(const ChainId&, const ChainPoint&)>& visit) {
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

std::optional<Bytes> TillView::divergent_batch(const ChainId& chain, const ChainPoint& end) {
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
      from.assign(key.substr(0, key.size() - 8)).append(8, '\xff');  // behind the group
      found = true;
      return false;
    });
    if (!found) return;
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
  return lmdb::find<StockProjection>(txn_, store_.env_->table(kStock), lone_key(sku));
}

void TillView::stocks(const std::function<void(const std::string&, const StockProjection&)>& visit) {
  txn_.scan(store_.env_->table(kStock), {}, [&](ByteView sku, ByteView value) {
    if (auto projection = unpack<StockProjection>(value)) visit(std::string(sku), *projection);
    return true;
  });
}

std::optional<Bytes> TillView::meta(const std::string& name) {
  auto raw = txn_.get(store_.env_->table(kNotes), lone_key(name));
  return raw ? std::optional(Bytes(*raw)) : std::nullopt;
}

}  // namespace tillsync
