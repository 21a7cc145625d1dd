// The reference that cloud stores are held against: maps.
#pragma once

#include <algorithm>
#include <map>

#include "storage/model/cloud_store.hpp"
#include "storage/model/op_codec.hpp"

namespace tillsync::test {

class MemoryCloud : public CloudTxn {
 public:
  explicit MemoryCloud(std::uint64_t kept) : kept_(kept) {}
  void lock(const std::vector<BranchKey>&) override {}
  void lock_feed(const BranchKey&, const std::string&) override {}

  std::vector<std::pair<ChainId, ChainPoint>> chains(const BranchKey& shop) override {
    return {chains_[shop].begin(), chains_[shop].end()};
  }
  std::optional<ChainPoint> chain(const BranchKey& shop, const ChainId& chain) override {
    return chains_[shop].contains(chain) ? std::optional(chains_[shop][chain]) : std::nullopt;
  }
  void ops(const BranchKey& shop, const ChainId& chain, Seq from,
           const std::function<bool(const CloudOp&)>& visit) override {
    auto& all = ops_[{shop, chain}];
    for (auto it = all.lower_bound(from); it != all.end() && visit(it->second); ++it) {
    }
  }
  std::optional<CloudKey> find_key(const BranchKey& shop, const std::string& key) override {
    return keys_.contains({shop, key}) ? std::optional(keys_[{shop, key}]) : std::nullopt;
  }
  std::optional<Row> row(const BranchKey& shop, const FeedKind& feed, const std::string& id) override {
    auto& all = rows_[{shop.tenant, feed}];
    return all.contains(id) ? std::optional(all[id]) : std::nullopt;
  }
  std::vector<std::string> kinds(const BranchKey& shop, const std::string& feed) override {
    std::vector<std::string> out;
    for (const auto& [name, record] : feeds_) {
      if (name.first == shop.tenant && name.second.feed == feed) out.push_back(name.second.kind);
    }
    return out;
  }
  FeedRecord feed(const BranchKey& shop, const FeedKind& feed) override {
    return feeds_.contains({shop.tenant, feed}) ? feeds_[{shop.tenant, feed}] : FeedRecord{{7, {}}, 0, {}, 0};
  }
  void rows_after(const BranchKey& shop, const FeedKind& feed, RowVersion after,
                  const std::function<bool(const Row&)>& visit) override {
    std::vector<Row> all;
    for (const auto& [id, row] : rows_[{shop.tenant, feed}]) all.push_back(row);
    std::ranges::sort(all, {}, &Row::version);
    for (const Row& row : all) {
      if (row.version > after && !visit(row)) return;
    }
  }
  std::vector<StockEvent> events_after(const BranchKey& shop, const std::string& sku,
                                       const StockPlace& after) override {
    std::vector<StockEvent> out;
    for (const auto& [place, event] : events_[{shop, sku}]) {
      if (place > after) out.push_back(event);
    }
    return out;
  }
  std::vector<BranchKey> shops() override {
    std::vector<BranchKey> out;
    for (const auto& [shop, chains] : chains_) {
      if (!chains.empty()) out.push_back(shop);
    }
    return out;
  }
  std::optional<Bytes> meta(const std::string& name) override {
    return notes_.contains(name) ? std::optional(notes_[name]) : std::nullopt;
  }
  void metas(const std::string& prefix, const std::function<void(const std::string&, ByteView)>& visit) override {
    for (const auto& [name, value] : notes_) {
      if (name.starts_with(prefix)) visit(name, value);
    }
  }

  void put_chain(const BranchKey& shop, const ChainId& chain, const ChainPoint& point) override {
    chains_[shop][chain] = point;
  }
  void put_op(const BranchKey& shop, const Op& op, ByteView bytes, OpEffect effect) override {
    ops_[{shop, op.chain}][op.seq] = {op.chain, op.seq, op.key, Bytes(bytes), effect};
    if (effect == OpEffect::applied && !op.key.empty())
      keys_[{shop, op.key}] = {op.chain, op.seq, content_hash(op.kind, op.body)};
  }
  void put_events(const BranchKey& shop, const std::string& sku, const std::vector<StockEvent>& events) override {
    for (const StockEvent& event : events) events_[{shop, sku}][event.place()] = event;
  }
  void drop_event(const BranchKey& shop, const std::string& sku, const StockPlace& place) override {
    events_[{shop, sku}].erase(place);
  }
  void put_row(const BranchKey& shop, const CloudRow& change) override {
    auto& all = rows_[{shop.tenant, change.feed}];
    FeedRecord record = feed(shop, change.feed);
    RowVersion& last = last_[{shop.tenant, change.feed.feed}];
    last = last.next();
    all[change.id] = {change.id, last, change.deleted, change.fields};
    std::map<RowVersion, std::string> tombstones;
    record.live_sum = 0;
    for (const auto& [id, row] : all) {
      record.live_sum += live_sum(row);
      if (row.deleted) tombstones[row.version] = id;
    }
    if (change.deleted && tombstones.size() > 2 * kept_) {
      while (tombstones.size() > kept_) {
        record.horizon = tombstones.begin()->first;
        all.erase(tombstones.begin()->second);
        tombstones.erase(tombstones.begin());
      }
    }
    record.tombstones = tombstones.size();
    record.watermark = {7, last};
    feeds_[{shop.tenant, change.feed}] = record;
  }
  void put_meta(const std::string& name, ByteView value) override { notes_[name] = Bytes(value); }
  void drop_meta(const std::string& name) override { notes_.erase(name); }

 private:
  std::uint64_t kept_;
  std::map<BranchKey, std::map<ChainId, ChainPoint>> chains_;
  std::map<std::pair<BranchKey, ChainId>, std::map<Seq, CloudOp>> ops_;
  std::map<std::pair<BranchKey, std::string>, CloudKey> keys_;
  std::map<std::pair<std::string, FeedKind>, std::map<std::string, Row>> rows_;
  std::map<std::pair<std::string, FeedKind>, FeedRecord> feeds_;
  std::map<std::pair<std::string, std::string>, RowVersion> last_;
  std::map<std::pair<BranchKey, std::string>, std::map<StockPlace, StockEvent>> events_;
  std::map<std::string, Bytes> notes_;
};

}  // namespace tillsync::test
