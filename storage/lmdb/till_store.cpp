#include "storage/lmdb/till_store.hpp"

#include "storage/lmdb/till_tables.hpp"

namespace tillsync {

using namespace till_tables;

namespace {

const std::vector<std::string> kTables = {kState, kVault,  kStrays, kKeys,       kCashiers, kRows,  kVersions,
                                          kFeeds, kChains, kRelay,  kSignatures, kEvents,   kStock, kNotes};

}  // namespace

void StoreBatch::put(const char* table, ByteView key, ByteView value) {
  const std::size_t at = bytes_.size();
  bytes_.append(key).append(value);
  places_.push_back({table, at, at + key.size(), bytes_.size(), false});
}

void StoreBatch::erase(const char* table, ByteView key) {
  const std::size_t at = bytes_.size();
  bytes_.append(key);
  places_.push_back({table, at, bytes_.size(), bytes_.size(), true});
}

void StoreBatch::clear() {
  constexpr std::size_t kKept = 8 << 20;  // bytes: a checkpoint has some 4 MiB
  if (bytes_.capacity() > kKept) return void(*this = {});
  bytes_.clear();
  places_.clear();
}

StoreBatch::Write StoreBatch::write(std::size_t i) const {
  const Place& place = places_[i];
  const ByteView all = bytes_;
  const ByteView key = all.substr(place.key, place.value - place.key);
  if (place.erases) return {place.table, key, std::nullopt};
  return {place.table, key, all.substr(place.value, place.end - place.value)};
}

void StoreBatch::state(const TillState& state) { put(kState, "state", pack(state)); }

void StoreBatch::vault_op(const ChainId& chain, Seq seq, ByteView key, ByteView op) {
  put(kVault, vault_key(chain.incarnation, seq), op);
  put(kKeys, lone_key(key), vault_key(chain.incarnation, seq));
}

void StoreBatch::vault_adopt(const ChainId& chain, Seq seq, ByteView key, ByteView op, bool note_key) {
  put(kVault, vault_key(chain.incarnation, seq), op);
  if (note_key) put(kKeys, lone_key(key), vault_key(chain.incarnation, seq));
}

void StoreBatch::vault_drop(Incarnation incarnation, Seq seq, const std::string* key) {
  erase(kVault, vault_key(incarnation, seq));
  if (key != nullptr) erase(kKeys, lone_key(*key));
}

void StoreBatch::cashier(const std::string& cashier, const Hash& last) {
  put(kCashiers, lone_key(cashier), last.view());
}

void StoreBatch::row(const FeedKind& feed, std::uint64_t generation, const Row& row,
                     const std::optional<RowVersion>& old_version) {
  if (old_version) erase(kVersions, version_key(feed, *old_version, row.id));
  put(kRows, row_key(feed, row.id), pack(RowRecord{row.version, generation, row.deleted, Binary(row.fields)}));
  put(kVersions, version_key(feed, row.version, row.id), row.id);
}

void StoreBatch::drop_row(const FeedKind& feed, const std::string& id, RowVersion version) {
  erase(kRows, row_key(feed, id));
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
void StoreBatch::divergent_batch(const ChainId& chain, const ChainPoint& end, ByteView batch) {
  put(kStrays, stray_key(chain, end), batch);
}

void StoreBatch::drop_divergent_batch(const ChainId& chain, const ChainPoint& end) {
  erase(kStrays, stray_key(chain, end));
}

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
void StoreBatch::stock(const std::string& sku, const StockProjection& p) { put(kStock, lone_key(sku), pack(p)); }
void StoreBatch::meta(const std::string& name, ByteView value) { put(kNotes, lone_key(name), value); }

Result<std::unique_ptr<TillStore>> TillStore::look(const std::string& folder) {
  auto env = lmdb::Env::look(folder, kTables);
  if (!env) return tl::unexpected(env.error());
  return std::unique_ptr<TillStore>(new TillStore(std::move(*env)));
}

Result<std::unique_ptr<TillStore>> TillStore::open(const std::string& folder) {
  auto env = lmdb::Env::open(folder, kTables);
  if (!env) return tl::unexpected(env.error());
  return std::unique_ptr<TillStore>(new TillStore(std::move(*env)));
}

Result<void> TillStore::commit(const StoreBatch& batch) {
  return env_->write([&](lmdb::WriteTxn& txn) -> Result<void> {
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const StoreBatch::Write write = batch.write(i);
      const lmdb::Table& table = env_->table(write.table);
      write.value ? txn.put(table, write.key, *write.value) : txn.erase(table, write.key);
    }
    return {};
  });
}

}  // namespace tillsync
