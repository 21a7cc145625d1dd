#include "storage/postgres/cloud_txn.hpp"

#include "storage/postgres/announcement.hpp"

namespace tillsync::postgres {

namespace {

constexpr Statement kNotify{"tell", "SELECT pg_notify('tillsync', $1)"};

}  // namespace

PostgresCloudTxn::PostgresCloudTxn(Session& session)
    : session_(session),
      branches_(session),
      ops_(session, branches_),
      feeds_(session, branches_),
      rows_(session, feeds_),
      events_(session, branches_),
      metas_(session) {}

void PostgresCloudTxn::lock(const std::vector<BranchKey>& branches) {
  if (!session_.writes()) return;
  for (const BranchKey& fresh : branches_.lock(branches)) {  // what was read before may be old
    ops_.forget_keys(fresh);
    rows_.forget(feeds_.forget(fresh));
  }
}

void PostgresCloudTxn::lock_feed(const BranchKey& branch, const std::string& feed) {
  if (session_.writes()) rows_.forget(feeds_.lock(branch, feed));
}

void PostgresCloudTxn::expect(const std::function<CloudReads()>& what) {
  const CloudReads reads = what();
  branches_.expect(reads.shops);
  if (!session_.options().trusts_keys) ops_.expect_keys(reads.keys);
  metas_.expect(reads.metas);
  rows_.expect(reads.rows);
  events_.expect(reads.events);
}

std::vector<std::pair<ChainId, ChainPoint>> PostgresCloudTxn::chains(const BranchKey& branch) {
  return branches_.points(branch);
}

std::optional<ChainPoint> PostgresCloudTxn::chain(const BranchKey& branch, const ChainId& chain) {
  return branches_.point(branch, chain);
}

void PostgresCloudTxn::ops(const BranchKey& branch, const ChainId& chain, Seq from,
                           const std::function<bool(const CloudOp&)>& visit) {
  ops_.read(branch, chain, from, visit);
}

std::optional<CloudKey> PostgresCloudTxn::find_key(const BranchKey& branch, const std::string& key) {
  return ops_.find_key(branch, key);
}

std::optional<CloudKey> PostgresCloudTxn::claim_key(const BranchKey& branch, const std::string& key) {
  return ops_.claim_key(branch, key);
}

std::optional<Row> PostgresCloudTxn::row(const BranchKey& branch, const FeedKind& feed, const std::string& id) {
  return rows_.find(branch, feed, id);
}

std::vector<std::string> PostgresCloudTxn::kinds(const BranchKey& branch, const std::string& feed) {
  return feeds_.kinds(branch, feed);
}

FeedRecord PostgresCloudTxn::feed(const BranchKey& branch, const FeedKind& feed) { return feeds_.record(branch, feed); }

void PostgresCloudTxn::rows_after(const BranchKey& branch, const FeedKind& feed, RowVersion after,
                                  const std::function<bool(const Row&)>& visit) {
  rows_.read_after(branch, feed, after, visit);
}

std::vector<StockEvent> PostgresCloudTxn::events_after(const BranchKey& branch, const std::string& sku,
                                                       const StockPlace& after) {
  return events_.read_after(branch, sku, after);
}

std::vector<BranchKey> PostgresCloudTxn::shops() { return branches_.with_chains(); }

std::optional<Bytes> PostgresCloudTxn::meta(const std::string& name) { return metas_.find(name); }

void PostgresCloudTxn::metas(const std::string& prefix,
                             const std::function<void(const std::string&, ByteView)>& visit) {
  metas_.read_all(prefix, visit);
}

void PostgresCloudTxn::put_chain(const BranchKey& branch, const ChainId& chain, const ChainPoint& point) {
  branches_.put_point(branch, chain, point);
}

void PostgresCloudTxn::put_op(const BranchKey& branch, const Op& op, ByteView bytes, OpEffect effect) {
  ops_.put(branch, op, bytes, effect);
}

void PostgresCloudTxn::put_events(const BranchKey& branch, const std::string& sku,
                                  const std::vector<StockEvent>& events) {
  events_.put(branch, sku, events);
}

void PostgresCloudTxn::drop_event(const BranchKey& branch, const std::string& sku, const StockPlace& place) {
  events_.drop(branch, sku, place);
}

void PostgresCloudTxn::put_row(const BranchKey& branch, const CloudRow& row) {
  lock_feed(branch, row.feed.feed);
  rows_.put(branch, row);
  announce({branch.tenant, row.feed.feed});
}

void PostgresCloudTxn::put_meta(const std::string& name, ByteView value) { metas_.put(name, value); }

void PostgresCloudTxn::drop_meta(const std::string& name) { metas_.drop(name); }

void PostgresCloudTxn::flush() {
  ops_.flush();
  branches_.flush();
  events_.flush();
  rows_.flush();
  feeds_.flush();
  metas_.flush();
  for (const auto& [tenant, what] : announced())
    session_.send(kNotify, Values().add(ByteView(encode_announcement({session_.options().process, tenant, what}))));
}

}  // namespace tillsync::postgres
