// The cloud's durable record. Everything a push changes is one transaction; reads and writes are in bulk, so that a
// database behind a network needs few round trips. Implementations: LMDB (embedded, one process), PostgreSQL (any
// number of processes).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <tillsync/op.hpp>
#include <tillsync/row.hpp>
#include <vector>

#include "storage/model/branch_key.hpp"
#include "storage/model/cloud_op.hpp"
#include "storage/model/records.hpp"

namespace tillsync {

struct CloudKey {
  ChainId chain;
  Seq seq;
  Hash content;  // content_hash()
};

struct CloudRow {
  FeedKind feed;
  std::string id;
  bool deleted = false;
  Bytes fields;
};

// What a transaction is about to read.
struct CloudReads {
  struct RowName {
    BranchKey shop;
    FeedKind feed;
    std::string id;
  };
  struct EventsOf {
    BranchKey shop;
    std::string sku;
    StockPlace after;
  };
  struct KeysOf {
    BranchKey shop;
    std::vector<std::string_view> keys;  // the ops that they name live on
  };
  std::vector<BranchKey> shops;
  std::vector<KeysOf> keys;
  std::vector<std::string> metas;
  std::vector<RowName> rows;
  std::vector<EventsOf> events;
};

class CloudTxn {
 public:
  virtual ~CloudTxn() = default;

  // Nobody else changes these branches, or reads what they change, until the transaction ends. To be called before
  // anything of a branch is read that shall be changed, for all of them at once. Readers hold nothing.
  virtual void lock(const std::vector<BranchKey>& shops) = 0;
  // Likewise of a feed that branches share, before its rows are read to be changed.
  virtual void lock_feed(const BranchKey& shop, const std::string& feed) = 0;
  // A hint: a store that is far away asks what will be read, and fetches it at once. Nothing depends on it.
  virtual void expect(const std::function<CloudReads()>&) {}

  virtual std::vector<std::pair<ChainId, ChainPoint>> chains(const BranchKey& shop) = 0;
  virtual std::optional<ChainPoint> chain(const BranchKey& shop, const ChainId& chain) = 0;
  virtual void ops(const BranchKey& shop, const ChainId& chain, Seq from,
                   const std::function<bool(const CloudOp&)>& visit) = 0;
  virtual std::optional<CloudKey> find_key(const BranchKey& shop, const std::string& key) = 0;
  // Likewise, for an op that is about to be put. A store may take for granted that its key is new, and run the body
  // again, looking, when it was not.
  virtual std::optional<CloudKey> claim_key(const BranchKey& shop, const std::string& key) {
    return find_key(shop, key);
  }
  virtual std::optional<Row> row(const BranchKey& shop, const FeedKind& feed, const std::string& id) = 0;
  virtual std::vector<std::string> kinds(const BranchKey& shop, const std::string& feed) = 0;
  virtual FeedRecord feed(const BranchKey& shop, const FeedKind& feed) = 0;  // where its newest row is
  virtual void rows_after(const BranchKey& shop, const FeedKind& feed, RowVersion after,
                          const std::function<bool(const Row&)>& visit) = 0;
  virtual std::vector<StockEvent> events_after(const BranchKey& shop, const std::string& sku,
                                               const StockPlace& after) = 0;
  virtual std::vector<BranchKey> shops() = 0;
  virtual std::optional<Bytes> meta(const std::string& name) = 0;
  virtual void metas(const std::string& prefix, const std::function<void(const std::string&, ByteView)>& visit) = 0;

  virtual void put_chain(const BranchKey& shop, const ChainId& chain, const ChainPoint& point) = 0;
  // Past the chain's point an op is new; one before it replaces what was there.
  virtual void put_op(const BranchKey& shop, const Op& op, ByteView bytes, OpEffect effect) = 0;
  // A place is put once, or after drop_event().
  virtual void put_events(const BranchKey& shop, const std::string& sku, const std::vector<StockEvent>& events) = 0;
  virtual void drop_event(const BranchKey& shop, const std::string& sku, const StockPlace& place) = 0;
  virtual void put_row(const BranchKey& shop, const CloudRow& row) = 0;  // gives it the feed's next version
  virtual void put_meta(const std::string& name, ByteView value) = 0;
  virtual void drop_meta(const std::string& name) = 0;

  // Other processes that listen hear of it once it is committed. put_row announces its feed by itself.
  void announce(const CloudNews& news) { announced_.insert(news); }
  const std::set<CloudNews>& announced() const { return announced_; }

 private:
  std::set<CloudNews> announced_;
};

// The name of the entry that holds the record's generation. Versions of rows compare within one. It is read when a
// store is opened, and a record that goes back in time gets another (engine/cloud/reset_cloud.hpp).
inline constexpr char kGenerationMeta[] = "generation";

class CloudStore {
 public:
  virtual ~CloudStore() = default;
  // The body may run again (the map grew, the transaction was serialised behind another, a key was not new): it depends
  // on nothing else.
  virtual Result<void> write(const std::function<Result<void>(CloudTxn&)>& body) = 0;
  virtual Result<void> read(const std::function<Result<void>(CloudTxn&)>& body) = 0;
  // A consistent copy, while others go on. Errors: refused, by a store that has tools of its own for that; io.
  virtual Result<void> copy_to(const std::string& folder) = 0;
  // What other processes changed; nothing: some of it may have been missed. Called on a thread of the store's, until it
  // is destroyed.
  virtual void listen(std::function<void(const std::optional<CloudNews>&)>) {}
};

// Of each feed and kind at least so many deleted rows are remembered, so that who was away hears of them one by one.
constexpr std::uint64_t kTombstonesKept = 100'000;
Result<std::unique_ptr<CloudStore>> open_lmdb_cloud(const std::string& folder, std::uint64_t fresh_generation,
                                                    std::uint64_t tombstones_kept = kTombstonesKept);
// `url`: postgresql://USER@HOST:PORT/DATABASE, all that libpq understands. Its tables are made or brought up to date.
// Any thread may use it. Errors: invalid (the URL), refused (tables of a newer program), io (no database).
Result<std::unique_ptr<CloudStore>> open_postgres_cloud(const std::string& url, std::uint64_t fresh_generation,
                                                        std::uint64_t tombstones_kept = kTombstonesKept);

}  // namespace tillsync
