// A till's LMDB: vault, rows, other tills' ops that it relays, stock events. The engine decides what is written and
// hands over a StoreBatch; commit() makes it durable in one transaction. Reads go through a TillView.
//
// There is no table for the outbox: it is the vault after the cloud's watermark (docs/decisions/0003).
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <tillsync/op.hpp>
#include <tillsync/row.hpp>
#include <vector>

#include "storage/lmdb/lmdb_env.hpp"
#include "storage/model/records.hpp"

namespace tillsync {

// Puts and erasures, in order, that become durable together.
class StoreBatch {
 public:
  void state(const TillState& state);
  void vault_op(const ChainId& chain, Seq seq, ByteView key, ByteView op);
  // An op fetched back into its old place; its key is noted only if no newer op took it over.
  void vault_adopt(const ChainId& chain, Seq seq, ByteView key, ByteView op, bool note_key);
  // `key`: to be forgotten with it; null when another op took it over.
  void vault_drop(Incarnation incarnation, Seq seq, const std::string* key);
  void cashier(const std::string& cashier, const Hash& last);
  void row(const FeedKind& feed, std::uint64_t generation, const Row& row,
           const std::optional<RowVersion>& old_version);
  void drop_row(const FeedKind& feed, const std::string& id, RowVersion version);
  void feed(const FeedKind& feed, const FeedRecord& record);
  void chain(const ChainId& chain, const ChainRecord& record);
  void relay_op(const ChainId& chain, Seq seq, ByteView op);
  void relay_signature(const ChainId& chain, Seq seq, ByteView signature);
  void relay_forget(const ChainId& chain, Seq seq);
  // Ops of a history that the cloud does not hold as they are: kept, as the signed batch they came in, for their till.
  void divergent_batch(const ChainId& chain, const ChainPoint& end, ByteView batch);
  void drop_divergent_batch(const ChainId& chain, const ChainPoint& end);
  // All that is kept in the place of this op and its neighbours (storage/model/stock_events.hpp), sorted.
  void event_packet(const std::string& sku, const ChainId& chain, Seq seq, const std::vector<StockEvent>& events);
  void stock(const std::string& sku, const StockProjection& projection);
  void meta(const std::string& name, ByteView value);  // roster, promise, peers: small things with a name

  bool empty() const { return places_.empty(); }
  std::size_t bytes() const { return bytes_.size(); }
  void reserve(std::size_t bytes) { bytes_.reserve(bytes); }
  void clear();  // its memory is kept for the next one, unless it is uncommonly much

  struct Write {
    const char* table;
    ByteView key;
    std::optional<ByteView> value;  // nothing erases
  };
  std::size_t size() const { return places_.size(); }
  Write write(std::size_t i) const;

 private:
  void put(const char* table, ByteView key, ByteView value);
  void erase(const char* table, ByteView key);

  // A checkpoint has thousands of writes: they lie one behind the other, and are forgotten at once.
  struct Place {
    const char* table;
    std::size_t key, value, end;  // where each begins in bytes_
    bool erases;
  };
  Bytes bytes_;
  std::vector<Place> places_;
};

class TillStore;

// One short reading transaction.
class TillView {
 public:
  std::optional<TillState> state();
  std::optional<Bytes> op(Incarnation incarnation, Seq seq);
  struct Place {
    Incarnation incarnation;
    Seq seq;
  };
  std::optional<Place> find_key(ByteView key);
  // Visits ops of one history from `from` on.
  void ops(Incarnation incarnation, Seq from, const std::function<bool(Seq, ByteView)>& visit);
  // Visits all histories from a place on, in (incarnation, seq) order.
  void all_ops(Incarnation incarnation, Seq from, const std::function<bool(Incarnation, Seq, ByteView)>& visit);
  std::optional<Hash> cashier(const std::string& cashier);

  struct StoredRow {
    Row row;
    std::uint64_t generation = 0;
  };
  std::optional<StoredRow> row(const FeedKind& feed, const std::string& id);
  void rows_after(const FeedKind& feed, RowVersion after, const std::function<bool(const StoredRow&)>& visit);
  std::optional<FeedRecord> feed(const FeedKind& feed);
  std::vector<std::pair<FeedKind, FeedRecord>> feeds();
  std::uint64_t row_count();
  std::uint64_t op_count();  // in the vault

  std::vector<std::pair<ChainId, ChainRecord>> chains();
  void relay_ops(const ChainId& chain, Seq from, const std::function<bool(Seq, ByteView)>& visit);
  // The first signature at or after `from`: signed batches end there.
  std::optional<std::pair<Seq, Bytes>> relay_signature(const ChainId& chain, Seq from);
  // The last signature in [from, to].
  std::optional<std::pair<Seq, Bytes>> relay_signature_within(const ChainId& chain, Seq from, Seq to);

  void divergent(const std::function<void(const ChainId&, const ChainPoint&)>& visit);
  std::optional<Bytes> divergent_batch(const ChainId& chain, const ChainPoint& end);

  std::vector<StockEvent> events(const std::string& sku);  // in (hlc, till, incarnation, seq) order
  // Of one history, packet by packet, those in which ops of this range are; `first`: the first op that it may hold.
  void event_packets(const std::string& sku, const ChainId& chain, Seq from, Seq to,
                     const std::function<void(Seq first, std::vector<StockEvent>)>& visit);
  void events_of(const std::string& sku, const ChainId& chain, Seq from, Seq to,
                 const std::function<void(const StockEvent&)>& visit);
  // Each history that has events of a product, with the last op that has one.
  void event_groups(const std::function<void(const std::string& sku, const ChainId& chain, Seq last)>& visit);
  std::vector<StockEvent> event_packet(const std::string& sku, const ChainId& chain, Seq seq);
  std::optional<StockProjection> stock(const std::string& sku);
  void stocks(const std::function<void(const std::string&, const StockProjection&)>& visit);
  std::optional<Bytes> meta(const std::string& name);

  ~TillView();

 private:
  friend class TillStore;
  explicit TillView(TillStore& store);
  TillStore& store_;
  lmdb::ReadTxn txn_;
};

class TillStore {
 public:
  // Errors: damaged (say `tillsync recover`), refused (read-only), disk_full.
  static Result<std::unique_ptr<TillStore>> open(const std::string& folder);

  // For reading only (lmdb::Env::look): the folder stays as it is.
  static Result<std::unique_ptr<TillStore>> look(const std::string& folder);

  Result<void> commit(const StoreBatch& batch);  // durable on return; from the database thread
  TillView view() { return TillView(*this); }    // from any thread
  Result<void> verify() { return env_->verify(); }

  // Set once a read met damage; the till goes on selling on its journal and says so.
  bool damaged() const { return damaged_; }

 private:
  friend class TillView;
  explicit TillStore(std::unique_ptr<lmdb::Env> env) : env_(std::move(env)) {}
  std::unique_ptr<lmdb::Env> env_;
  std::atomic<bool> damaged_ = false;
};

}  // namespace tillsync
