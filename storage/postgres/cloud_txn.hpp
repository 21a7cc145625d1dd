// One transaction of the cloud's record on PostgreSQL. What is read is remembered, what is written is gathered and goes
// out in bulk: before a range of the same table is read, and at the commit. A fault is latched: from then on everything
// reads as empty, and the transaction ends with that fault.
//
// A writer holds the branches that it changes (FOR UPDATE, in READ COMMITTED: what it reads afterwards is the newest)
// and the counter rows of the feeds that it writes. A reader has one snapshot (REPEATABLE READ).
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/model/cloud_store.hpp"
#include "storage/model/store_key.hpp"
#include "storage/postgres/connection.hpp"

namespace tillsync::postgres {

// A name, an id, a sku or a key as the tables have it where they are looked for by it.
inline Bytes indexed(ByteView text) { return bounded(text, kLongestIndexed); }
inline bool is_shortened(ByteView text) { return text.size() == kLongestIndexed; }

struct CloudTxnOptions {
  std::uint64_t generation = 0;
  std::uint64_t tombstones_kept = kTombstonesKept;
  std::string process;       // whose changes it tells of
  bool trusts_keys = false;  // that are claimed; if one is not new, the transaction ends with Fault::Kind::taken
};

class PostgresCloudTxn final : public CloudTxn {
 public:
  PostgresCloudTxn(Connection& db, bool writes, CloudTxnOptions options);

  void lock(const std::vector<BranchKey>& shops) override;
  void lock_feed(const BranchKey& shop, const std::string& feed) override;
  void expect(const std::function<CloudReads()>& what) override;

  std::vector<std::pair<ChainId, ChainPoint>> chains(const BranchKey& shop) override;
  std::optional<ChainPoint> chain(const BranchKey& shop, const ChainId& chain) override;
  void ops(const BranchKey& shop, const ChainId& chain, Seq from,
           const std::function<bool(const CloudOp&)>& visit) override;
  std::optional<CloudKey> find_key(const BranchKey& shop, const std::string& key) override;
  std::optional<CloudKey> claim_key(const BranchKey& shop, const std::string& key) override;
  std::optional<Row> row(const BranchKey& shop, const FeedKind& feed, const std::string& id) override;
  std::vector<std::string> kinds(const BranchKey& shop, const std::string& feed) override;
  FeedRecord feed(const BranchKey& shop, const FeedKind& feed) override;
  void rows_after(const BranchKey& shop, const FeedKind& feed, RowVersion after,
                  const std::function<bool(const Row&)>& visit) override;
  std::vector<StockEvent> events_after(const BranchKey& shop, const std::string& sku, const StockPlace& after) override;
  std::vector<BranchKey> shops() override;
  std::optional<Bytes> meta(const std::string& name) override;
  void metas(const std::string& prefix, const std::function<void(const std::string&, ByteView)>& visit) override;

  void put_chain(const BranchKey& shop, const ChainId& chain, const ChainPoint& point) override;
  void put_op(const BranchKey& shop, const Op& op, ByteView bytes, OpEffect effect) override;
  void put_events(const BranchKey& shop, const std::string& sku, const std::vector<StockEvent>& events) override;
  void drop_event(const BranchKey& shop, const std::string& sku, const StockPlace& place) override;
  void put_row(const BranchKey& shop, const CloudRow& row) override;
  void put_meta(const std::string& name, ByteView value) override;
  void drop_meta(const std::string& name) override;

  void begin();
  void commit();
  void roll_back();
  const std::optional<Fault>& fault() const { return fault_; }
  bool met_old_keys() const { return met_old_keys_; }  // some that were claimed
  bool commit_sent() const { return commit_sent_; }    // then a lost connection tells nothing of the outcome
  std::optional<Error> error() const;

 private:
  struct ChainEntry {
    std::int64_t id = 0;
    ChainPoint point;
    bool dirty = false;
    Seq put;  // up to here its ops are in the table, or in new_ops_
  };
  struct ShopEntry {
    std::int64_t id = 0;  // none: nothing is known of it yet
    bool locked = false, chains_known = false;
    std::map<ChainId, ChainEntry> chains;
    std::unordered_map<std::string, std::optional<CloudKey>> keys;  // as the table has them
  };
  struct FeedEntry {
    std::int64_t id = 0;
    FeedRecord record;
    bool dirty = false;
    bool fresh = false;  // made in this transaction: it has no rows that are not known here
  };
  using FeedName = std::pair<std::string, std::string>;  // tenant, feed
  struct FeedEntries {
    bool locked = false, dirty = false;
    std::optional<RowVersion> last;  // none: it has no counter yet
    std::map<std::string, FeedEntry> kinds;
  };
  struct RowEntry {
    std::optional<Row> row;
    bool dirty = false;
  };
  struct NoteEntry {
    std::optional<Bytes> value;
    bool dirty = false;
  };
  struct Events {  // read beforehand
    StockPlace after;
    std::vector<StockEvent> all;
  };
  using Product = std::pair<BranchKey, std::string>;
  using RowKey = std::pair<std::int64_t, std::string>;  // feed's id, and the row's as the table has it

  std::optional<Rows> run(const Statement& statement, const Values& values);
  std::vector<Rows> sync();
  void fail_with(Fault fault);
  void bug(const std::string& what);

  ShopEntry& shop(const BranchKey& shop);
  bool own_feed(const BranchKey& shop, const std::string& feed);  // of a branch that this transaction holds
  ShopEntry& held(const BranchKey& shop);                         // to change something of it
  std::map<ChainId, ChainEntry>& chains_of(const BranchKey& shop);
  ChainEntry& chain_to_write(const BranchKey& shop, const ChainId& chain);
  FeedEntries& feeds(const BranchKey& shop, const std::string& feed);
  void forget_feed(const FeedName& name);
  FeedEntry* find_feed(const BranchKey& shop, const FeedKind& feed);
  FeedEntry& feed_to_write(const BranchKey& shop, const FeedKind& feed);
  void read_feeds(const std::vector<std::pair<BranchKey, std::string>>& feeds);
  void read_shops(const std::vector<BranchKey>& shops);
  std::vector<StockEvent> open_packet(const BranchKey& shop, ByteView packet);
  void read_keys(const std::vector<CloudReads::KeysOf>& wanted);
  void expect_metas(const std::vector<std::string>& names);
  void expect_rows(const std::vector<CloudReads::RowName>& rows);
  void expect_events(const std::vector<CloudReads::EventsOf>& events);
  void forget_tombstones(FeedEntry& feed);

  void flush_all();
  void flush_chains();
  void flush_ops();
  void flush_events();
  void flush_feeds();
  void flush_rows();
  void flush_metas();

  Connection& db_;
  bool writes_, commit_sent_ = false, met_old_keys_ = false;
  CloudTxnOptions options_;
  std::optional<Fault> fault_;

  std::map<BranchKey, ShopEntry> shops_;
  std::pair<BranchKey, ShopEntry*> last_shop_{{}, nullptr};  // most calls are about the same branch
  std::map<FeedName, FeedEntries> feeds_;
  std::map<RowKey, RowEntry> rows_;
  std::map<std::string, NoteEntry> notes_;
  std::map<Product, Events> events_;
  std::set<RowKey> dirty_rows_;
  std::set<std::string> dirty_notes_;

  struct Ops {
    Column chains{Column::Type::bigint}, seqs{Column::Type::bigint}, branches{Column::Type::bigint},
        effects{Column::Type::bigint}, keys{Column::Type::bytes}, bodies{Column::Type::bytes};
    std::size_t bytes = 0;
    void add(std::int64_t chain, Seq seq, std::int64_t branch, OpEffect effect, ByteView key, ByteView body);
    void send(Connection& db, const Statement& statement);
  } new_ops_;
  struct ChangedOp {
    std::int64_t branch;
    OpEffect effect;
    std::string key;
    Bytes body;
  };
  std::map<std::pair<std::int64_t, Seq>, ChangedOp> changed_ops_;  // chain, seq
  struct Packets {                                                 // of stock events
    Column branches{Column::Type::bigint}, skus{Column::Type::bytes}, hlcs{Column::Type::bigint},
        events{Column::Type::bytes};
  } packets_;
};

}  // namespace tillsync::postgres
