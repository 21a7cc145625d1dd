#include <algorithm>
#include <span>

#include "storage/base/pack.hpp"
#include "storage/lmdb/lmdb_cloud_rows.hpp"
#include "storage/lmdb/lmdb_env.hpp"
#include "storage/lmdb/lmdb_records.hpp"
#include "storage/model/cloud_store.hpp"
#include "storage/model/op_codec.hpp"
#include "storage/model/stock_events.hpp"

namespace tillsync {

namespace {

constexpr char kOps[] = "ops", kKeys[] = "keys", kChains[] = "chains", kEvents[] = "event_packets", kNotes[] = "notes";

StoreKey shop_key(const BranchKey& shop) { return StoreKey().text(shop.tenant).text(shop.branch.text); }

struct OpRecord {
  std::uint8_t effect = 0;
  std::string key;
  Binary bytes;
  template <class A>
  void fields(A& a) {
    a(effect, key, bytes);
  }
};

struct KeyRecord {
  TillId till;
  Incarnation incarnation;
  Seq seq;
  template <class A>
  void fields(A& a) {
    a(till, incarnation, seq);
  }
};

// Stock events of one product that came together.
struct Packet {
  std::vector<ChainUpTo> chains;  // up to where does not matter
  std::vector<PackedEvent> events;
  template <class A>
  void fields(A& a) {
    a(chains, events);
  }
};
constexpr std::size_t kPacketEvents = 256;  // a late event reads what lies behind it

class LmdbCloudTxn final : public CloudTxn {
 public:
  LmdbCloudTxn(lmdb::Env& env, lmdb::Txn& txn, lmdb::WriteTxn* write, std::uint64_t generation, std::uint64_t kept)
      : env_(env), txn_(txn), write_(write), rows_(env, txn, write, generation, kept) {}

  void lock(const std::vector<BranchKey>&) override {}  // there is one writer
  void lock_feed(const BranchKey&, const std::string&) override {}

  std::vector<std::pair<ChainId, ChainPoint>> chains(const BranchKey& shop) override {
    std::vector<std::pair<ChainId, ChainPoint>> out;
    each(kChains, shop_key(shop), {}, [&](ByteView rest, ByteView value) {
      if (auto point = unpack<ChainPoint>(value)) out.emplace_back(StoreKeyReader(rest).chain(), *point);
      return true;
    });
    return out;
  }

  std::optional<ChainPoint> chain(const BranchKey& shop, const ChainId& chain) override {
    return find<ChainPoint>(kChains, shop_key(shop).chain(chain));
  }

  void ops(const BranchKey& shop, const ChainId& chain, Seq from,
           const std::function<bool(const CloudOp&)>& visit) override {
    each(kOps, shop_key(shop).chain(chain), StoreKey().number(from.value), [&](ByteView rest, ByteView value) {
      auto record = unpack<OpRecord>(value);
      if (!record) return true;
      return visit(CloudOp{chain, Seq{StoreKeyReader(rest).number()}, std::move(record->key), std::move(record->bytes),
                           static_cast<OpEffect>(record->effect)});
    });
  }

  std::optional<CloudKey> find_key(const BranchKey& shop, const std::string& key) override {
    const auto record = find<KeyRecord>(kKeys, shop_key(shop).last_text(key));
    if (!record) return std::nullopt;
    const ChainId chain{record->till, record->incarnation};
    const auto stored = find<OpRecord>(kOps, shop_key(shop).chain(chain).number(record->seq.value));
    const auto op = stored ? decode_op(stored->bytes) : std::nullopt;
    return CloudKey{chain, record->seq, op ? content_hash(op->kind, op->body) : Hash{}};
  }

  std::optional<Row> row(const BranchKey& shop, const FeedKind& feed, const std::string& id) override {
    return rows_.row(shop, feed, id);
  }
  std::vector<std::string> kinds(const BranchKey& shop, const std::string& feed) override {
    return rows_.kinds(shop, feed);
  }
  FeedRecord feed(const BranchKey& shop, const FeedKind& feed) override { return rows_.feed(shop, feed); }
  void rows_after(const BranchKey& shop, const FeedKind& feed, RowVersion after,
                  const std::function<bool(const Row&)>& visit) override {
    rows_.after(shop, feed, after, visit);
  }

  std::vector<StockEvent> events_after(const BranchKey& shop, const std::string& sku,
                                       const StockPlace& after) override {
    std::vector<StockEvent> out;
    packets_from(shop, sku, {after.hlc, after.till, after.incarnation, after.seq.next()},
                 [&](ByteView, std::vector<StockEvent> events) {
                   return std::ranges::move(events, std::back_inserter(out)), true;
                 });
    std::erase_if(out, [&](const StockEvent& e) { return e.place() <= after; });
    std::ranges::sort(out, {}, &StockEvent::place);
    return out;
  }

  std::vector<BranchKey> shops() override {
    std::vector<BranchKey> out;
    each(kChains, StoreKey(), {}, [&](ByteView key, ByteView) {
      StoreKeyReader reader(key);
      BranchKey shop{reader.text(), {reader.text()}};
      if (out.empty() || out.back() != shop) out.push_back(std::move(shop));
      return true;
    });
    return out;
  }

  std::optional<Bytes> meta(const std::string& name) override {
    auto raw = txn_.get(env_.table(kNotes), lone_key(name));
    return raw ? std::optional(Bytes(*raw)) : std::nullopt;
  }

  void metas(const std::string& prefix, const std::function<void(const std::string&, ByteView)>& visit) override {
    txn_.scan(env_.table(kNotes), prefix, [&](ByteView name, ByteView value) {
      if (!starts_with(name, prefix)) return false;
      visit(std::string(name), value);
      return true;
    });
  }

  void put_chain(const BranchKey& shop, const ChainId& chain, const ChainPoint& point) override {
    put(kChains, shop_key(shop).chain(chain), pack(point));
  }

  void put_op(const BranchKey& shop, const Op& op, ByteView bytes, OpEffect effect) override {
    Bytes value;
    value.reserve(bytes.size() + op.key.size() + 16);
    Writing w(value);  // an OpRecord
    w.to.array(3);
    w.put(static_cast<std::uint8_t>(effect));
    w.put(op.key);
    w.to.bin(bytes);
    put(kOps, shop_key(shop).chain(op.chain).number(op.seq.value), value);
    if (effect != OpEffect::applied || op.key.empty()) return;
    put(kKeys, shop_key(shop).last_text(op.key), pack(KeyRecord{op.chain.till, op.chain.incarnation, op.seq}));
  }

  void put_events(const BranchKey& shop, const std::string& sku, const std::vector<StockEvent>& events) override {
    for (std::size_t i = 0; i < events.size(); i += kPacketEvents)
      put_packet(shop, sku, std::span(events).subspan(i, std::min(kPacketEvents, events.size() - i)));
  }

  void drop_event(const BranchKey& shop, const std::string& sku, const StockPlace& place) override {
    Bytes found;
    std::vector<StockEvent> rest;
    packets_from(shop, sku, place, [&](ByteView key, std::vector<StockEvent> events) {
      if (std::erase_if(events, [&](const StockEvent& e) { return e.place() == place; }) == 0) return true;
      found = Bytes(key), rest = std::move(events);
      return false;
    });
    if (found.empty()) return;
    write_->erase(env_.table(kEvents), found);
    if (!rest.empty()) put_packet(shop, sku, rest);
  }

  void put_row(const BranchKey& shop, const CloudRow& change) override {
    rows_.put(shop, change);
    announce({shop.tenant, change.feed.feed});
  }

  void put_meta(const std::string& name, ByteView value) override {
    write_->put(env_.table(kNotes), lone_key(name), value);
  }
  void drop_meta(const std::string& name) override { write_->erase(env_.table(kNotes), lone_key(name)); }

 private:
  void put_packet(const BranchKey& shop, const std::string& sku, std::span<const StockEvent> events) {
    Packet packet;
    for (const StockEvent& e : events) {
      auto at = std::ranges::find(packet.chains, e.chain, &ChainUpTo::chain);
      if (at == packet.chains.end()) at = packet.chains.insert(at, {e.chain.till, e.chain.incarnation, {}});
      packet.events.push_back(PackedEvent::from(e, at - packet.chains.begin()));
    }
    StoreKey key = shop_key(shop).text(sku);
    put(kEvents, append_place(key, std::ranges::max(events, {}, &StockEvent::place).place()), pack(packet));
  }

  // Those whose last event is at that place or behind it, with their keys.
  void packets_from(const BranchKey& shop, const std::string& sku, const StockPlace& from,
                    const std::function<bool(ByteView key, std::vector<StockEvent>)>& visit) {
    const StoreKey prefix = shop_key(shop).text(sku);
    StoreKey place;
    append_place(place, from);
    each(kEvents, prefix, place, [&](ByteView rest, ByteView value) {
      std::vector<StockEvent> events;
      const Packet packet = unpack<Packet>(value).value_or(Packet{});
      for (const PackedEvent& e : packet.events) {
        const auto chain = static_cast<std::size_t>(e.chain);
        if (chain < packet.chains.size()) events.push_back(e.of(packet.chains[chain].chain()));
      }
      return visit(prefix.bytes() + Bytes(rest), std::move(events));
    });
  }

  template <class T>
  std::optional<T> find(const char* table, const StoreKey& key) {
    return lmdb::find<T>(txn_, env_.table(table), key);
  }
  void put(const char* table, const StoreKey& key, ByteView value) { write_->put(env_.table(table), key, value); }

  // Visits the entries below `prefix`, from `prefix + from` on, with the rest of their keys.
  void each(const char* table, const StoreKey& prefix, const StoreKey& from,
            const std::function<bool(ByteView, ByteView)>& visit) {
    const Bytes start = prefix.bytes() + from.bytes();
    txn_.scan(env_.table(table), start, [&](ByteView key, ByteView value) {
      return starts_with(key, prefix) && visit(key.substr(prefix.bytes().size()), value);
    });
  }

  lmdb::Env& env_;
  lmdb::Txn& txn_;
  lmdb::WriteTxn* write_;
  LmdbCloudRows rows_;
};

class LmdbCloudStore final : public CloudStore {
 public:
  LmdbCloudStore(std::unique_ptr<lmdb::Env> env, std::uint64_t generation, std::uint64_t kept)
      : env_(std::move(env)), generation_(generation), kept_(kept) {}

  Result<void> write(const std::function<Result<void>(CloudTxn&)>& body) override {
    return env_->write([&](lmdb::WriteTxn& txn) -> Result<void> {
      LmdbCloudTxn cloud(*env_, txn, &txn, generation_, kept_);
      return body(cloud);
    });
  }

  Result<void> read(const std::function<Result<void>(CloudTxn&)>& body) override {
    lmdb::ReadTxn txn(*env_);
    LmdbCloudTxn cloud(*env_, txn, nullptr, generation_, kept_);
    auto outcome = body(cloud);
    if (txn.error()) return tl::unexpected(*txn.error());
    return outcome;
  }

  Result<void> copy_to(const std::string& folder) override { return env_->copy_to(folder); }

 private:
  std::unique_ptr<lmdb::Env> env_;
  std::uint64_t generation_;
  std::uint64_t kept_;
};

}  // namespace

Result<std::unique_ptr<CloudStore>> open_lmdb_cloud(const std::string& folder, std::uint64_t fresh_generation,
                                                    std::uint64_t tombstones_kept) {
  std::vector<std::string> tables{kOps, kKeys, kChains, kEvents, kNotes};
  tables.insert(tables.end(), LmdbCloudRows::tables().begin(), LmdbCloudRows::tables().end());
  auto env = lmdb::Env::open(folder, tables);
  if (!env) return tl::unexpected(env.error());
  std::uint64_t generation = fresh_generation;
  auto settled = (*env)->write([&](lmdb::WriteTxn& txn) -> Result<void> {
    const lmdb::Table& metas = (*env)->table(kNotes);
    if (auto stored = txn.get(metas, kGenerationMeta)) {
      generation = unpack<std::uint64_t>(*stored).value_or(fresh_generation);
    } else {
      txn.put(metas, kGenerationMeta, pack(fresh_generation));
    }
    LmdbCloudRows(**env, txn, &txn, generation, tombstones_kept).move_older();
    return {};
  });
  if (!settled) return tl::unexpected(settled.error());
  return std::make_unique<LmdbCloudStore>(std::move(*env), generation, tombstones_kept);
}

}  // namespace tillsync
