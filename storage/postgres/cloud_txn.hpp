// One transaction of the cloud's record on PostgreSQL: each table is a class of its own, this one puts them together.
// What is read is remembered, what is written is gathered and goes out in bulk: before a range of the same table is
// read, and at flush(). The session latches the first fault.
#pragma once

#include "storage/postgres/event_table.hpp"
#include "storage/postgres/meta_table.hpp"
#include "storage/postgres/op_table.hpp"
#include "storage/postgres/row_table.hpp"

namespace tillsync::postgres {

class PostgresCloudTxn final : public CloudTxn {
 public:
  explicit PostgresCloudTxn(Session& session);

  void lock(const std::vector<BranchKey>& branches) override;
  void lock_feed(const BranchKey& branch, const std::string& feed) override;
  void expect(const std::function<CloudReads()>& what) override;

  std::vector<std::pair<ChainId, ChainPoint>> chains(const BranchKey& branch) override;
  std::optional<ChainPoint> chain(const BranchKey& branch, const ChainId& chain) override;
  void ops(const BranchKey& branch, const ChainId& chain, Seq from,
           const std::function<bool(const CloudOp&)>& visit) override;
  std::optional<CloudKey> find_key(const BranchKey& branch, const std::string& key) override;
  std::optional<CloudKey> claim_key(const BranchKey& branch, const std::string& key) override;
  std::optional<Row> row(const BranchKey& branch, const FeedKind& feed, const std::string& id) override;
  std::vector<std::string> kinds(const BranchKey& branch, const std::string& feed) override;
  FeedRecord feed(const BranchKey& branch, const FeedKind& feed) override;
  void rows_after(const BranchKey& branch, const FeedKind& feed, RowVersion after,
                  const std::function<bool(const Row&)>& visit) override;
  std::vector<StockEvent> events_after(const BranchKey& branch, const std::string& sku,
                                       const StockPlace& after) override;
  std::vector<BranchKey> shops() override;
  std::optional<Bytes> meta(const std::string& name) override;
  void metas(const std::string& prefix, const std::function<void(const std::string&, ByteView)>& visit) override;

  void put_chain(const BranchKey& branch, const ChainId& chain, const ChainPoint& point) override;
  void put_op(const BranchKey& branch, const Op& op, ByteView bytes, OpEffect effect) override;
  void put_events(const BranchKey& branch, const std::string& sku, const std::vector<StockEvent>& events) override;
  void drop_event(const BranchKey& branch, const std::string& sku, const StockPlace& place) override;
  void put_row(const BranchKey& branch, const CloudRow& row) override;
  void put_meta(const std::string& name, ByteView value) override;
  void drop_meta(const std::string& name) override;

  // All that is gathered, and what is to be announced once it is committed.
  void flush();
  bool met_old_keys() const { return ops_.met_old_keys(); }

 private:
  Session& session_;
  BranchTable branches_;
  OpTable ops_;
  FeedTable feeds_;
  RowTable rows_;
  EventTable events_;
  MetaTable metas_;
};

}  // namespace tillsync::postgres
