// A cloud store that refuses what it is told to refuse, whatever the one below would do.
#pragma once

#include <set>
#include <string>

#include "storage/model/cloud_store.hpp"

namespace tillsync::test {

class RefusingStore final : public CloudStore {
 public:
  static constexpr char kWhy[] = "the database can't hold this";

  explicit RefusingStore(CloudStore& below) : below_(below) {}
  // Ops of these keys where they would take effect; `always`: also without.
  void refuse_ops(std::set<std::string> keys, ErrorKind how, bool always = false) {
    keys_ = std::move(keys), how_ = how, always_ = always;
  }
  void refuse_rows(std::set<std::string> ids) { ids_ = std::move(ids); }

  Result<void> write(const std::function<Result<void>(CloudTxn&)>& body) override { return run(true, body); }
  Result<void> read(const std::function<Result<void>(CloudTxn&)>& body) override { return run(false, body); }
  Result<void> copy_to(const std::string& folder) override { return below_.copy_to(folder); }

 private:
  class Txn final : public CloudTxn {
   public:
    Txn(CloudTxn& below, const RefusingStore& store) : below_(below), store_(store) {}
    bool refused() const { return refused_; }

    void lock(const std::vector<BranchKey>& shops) override { below_.lock(shops); }
    void lock_feed(const BranchKey& shop, const std::string& feed) override { below_.lock_feed(shop, feed); }
    void expect(const std::function<CloudReads()>& what) override { below_.expect(what); }
    std::vector<std::pair<ChainId, ChainPoint>> chains(const BranchKey& shop) override { return below_.chains(shop); }
    std::optional<ChainPoint> chain(const BranchKey& shop, const ChainId& chain) override {
      return below_.chain(shop, chain);
    }
    void ops(const BranchKey& shop, const ChainId& chain, Seq from,
             const std::function<bool(const CloudOp&)>& visit) override {
      below_.ops(shop, chain, from, visit);
    }
    std::optional<CloudKey> find_key(const BranchKey& shop, const std::string& key) override {
      return below_.find_key(shop, key);
    }
    std::optional<CloudKey> claim_key(const BranchKey& shop, const std::string& key) override {
      return below_.claim_key(shop, key);
    }
    std::optional<Row> row(const BranchKey& shop, const FeedKind& feed, const std::string& id) override {
      return below_.row(shop, feed, id);
    }
    std::vector<std::string> kinds(const BranchKey& shop, const std::string& feed) override {
      return below_.kinds(shop, feed);
    }
    FeedRecord feed(const BranchKey& shop, const FeedKind& feed) override { return below_.feed(shop, feed); }
    void rows_after(const BranchKey& shop, const FeedKind& feed, RowVersion after,
                    const std::function<bool(const Row&)>& visit) override {
      below_.rows_after(shop, feed, after, visit);
    }
    std::vector<StockEvent> events_after(const BranchKey& shop, const std::string& sku,
                                         const StockPlace& after) override {
      return below_.events_after(shop, sku, after);
    }
    std::vector<BranchKey> shops() override { return below_.shops(); }
    std::optional<Bytes> meta(const std::string& name) override { return below_.meta(name); }
    void metas(const std::string& prefix, const std::function<void(const std::string&, ByteView)>& visit) override {
      below_.metas(prefix, visit);
    }
    void put_chain(const BranchKey& shop, const ChainId& chain, const ChainPoint& point) override {
      below_.put_chain(shop, chain, point);
    }
    void put_op(const BranchKey& shop, const Op& op, ByteView bytes, OpEffect effect) override {
      const bool counts = store_.always_ || effect == OpEffect::applied;
      refused_ = refused_ || (counts && store_.keys_.contains(op.key));
      below_.put_op(shop, op, bytes, effect);
    }
    void put_events(const BranchKey& shop, const std::string& sku, const std::vector<StockEvent>& events) override {
      below_.put_events(shop, sku, events);
    }
    void drop_event(const BranchKey& shop, const std::string& sku, const StockPlace& place) override {
      below_.drop_event(shop, sku, place);
    }
    void put_row(const BranchKey& shop, const CloudRow& row) override {
      refused_ = refused_ || store_.ids_.contains(row.id);
      below_.put_row(shop, row);
    }
    void put_meta(const std::string& name, ByteView value) override { below_.put_meta(name, value); }
    void drop_meta(const std::string& name) override { below_.drop_meta(name); }

   private:
    CloudTxn& below_;
    const RefusingStore& store_;
    bool refused_ = false;
  };

  Result<void> run(bool writes, const std::function<Result<void>(CloudTxn&)>& body) {
    const auto wrapped = [&](CloudTxn& below) -> Result<void> {
      Txn txn(below, *this);
      auto done = body(txn);
      if (txn.refused()) return fail(how_, kWhy);
      return done;
    };
    return writes ? below_.write(wrapped) : below_.read(wrapped);
  }

  CloudStore& below_;
  std::set<std::string> keys_, ids_;
  ErrorKind how_ = ErrorKind::invalid;
  bool always_ = false;
};

}  // namespace tillsync::test
