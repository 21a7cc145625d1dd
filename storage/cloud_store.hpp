// The cloud's durable record. Everything a push changes is one transaction; reads and writes are in bulk, so that a
// database behind a network needs few round trips. Implementations: LMDB (embedded, one process).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <tillsync/op.hpp>
#include <tillsync/row.hpp>
#include <vector>

#include "storage/records.hpp"

namespace tillsync {

// A branch of a tenant. The tenant is named by the hash of its first keys: nobody can claim another's.
struct Shop {
  std::string tenant;
  BranchId branch;
  auto operator<=>(const Shop&) const = default;
};

// What an op did: took effect; was known already; is another of the same name or a word that came too late; breaks a
// rule. All but the first have none.
enum class OpEffect : std::uint8_t { applied = 0, duplicate = 1, conflict = 2, dead = 3 };

struct CloudOp {
  ChainId chain;
  Seq seq;
  std::string key;
  Bytes bytes;
  OpEffect effect = OpEffect::applied;
};

struct CloudKey {
  ChainId chain;
  Seq seq;
  Hash content;
};

struct CloudRow {
  FeedKind feed;
  std::string id;
  bool deleted = false;
  Bytes fields;
};

class CloudTxn {
 public:
  virtual ~CloudTxn() = default;

  virtual std::vector<std::pair<ChainId, ChainPoint>> chains(const Shop& shop) = 0;
  virtual std::optional<ChainPoint> chain(const Shop& shop, const ChainId& chain) = 0;
  virtual void ops(const Shop& shop, const ChainId& chain, Seq from,
                   const std::function<bool(const CloudOp&)>& visit) = 0;
  virtual std::optional<CloudKey> find_key(const Shop& shop, const std::string& key) = 0;
  virtual std::optional<Row> row(const Shop& shop, const FeedKind& feed, const std::string& id) = 0;
  virtual std::vector<std::string> kinds(const Shop& shop, const std::string& feed) = 0;
  virtual FeedRecord feed(const Shop& shop, const FeedKind& feed) = 0;  // where its newest row is
  virtual void rows_after(const Shop& shop, const FeedKind& feed, RowVersion after,
                          const std::function<bool(const Row&)>& visit) = 0;
  virtual std::vector<StockEvent> events_after(const Shop& shop, const std::string& sku, const StockPlace& after) = 0;
  virtual std::vector<Shop> shops() = 0;
  virtual std::optional<Bytes> note(const std::string& name) = 0;

  virtual void put_chain(const Shop& shop, const ChainId& chain, const ChainPoint& point) = 0;
  virtual void put_op(const Shop& shop, const CloudOp& op, const Hash& content) = 0;
  virtual void put_event(const Shop& shop, const std::string& sku, const StockEvent& event) = 0;
  virtual void drop_event(const Shop& shop, const std::string& sku, const StockPlace& place) = 0;
  virtual void put_row(const Shop& shop, const CloudRow& row) = 0;  // gives it the feed's next version
  virtual void put_note(const std::string& name, ByteView value) = 0;
};

class CloudStore {
 public:
  virtual ~CloudStore() = default;
  // The body may run again (the map grew, the transaction was serialised behind another): it depends on nothing else.
  virtual Result<void> write(const std::function<Result<void>(CloudTxn&)>& body) = 0;
  virtual Result<void> read(const std::function<Result<void>(CloudTxn&)>& body) = 0;
};

// Of each feed and kind at least so many deleted rows are remembered, so that who was away hears of them one by one.
constexpr std::uint64_t kTombstonesKept = 100'000;
Result<std::unique_ptr<CloudStore>> open_lmdb_cloud(const std::string& folder, std::uint64_t fresh_generation,
                                                    std::uint64_t tombstones_kept = kTombstonesKept);

}  // namespace tillsync
