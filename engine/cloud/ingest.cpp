#include "engine/cloud/ingest.hpp"

#include <set>

#include "engine/cloud/notes.hpp"
#include "engine/stock/moves.hpp"
#include "engine/till/stock_book.hpp"

namespace tillsync {

void Ingest::expect(const std::vector<std::pair<Shop, const OpenedPush*>>& pushes) {
  txn_.expect([&] {
    CloudReads out;
    for (const auto& [shop, push] : pushes) {
      out.shops.push_back(shop);
      const TillId& till = push->chain.till;
      for (auto& name :
           {frontier_note(shop), suspected_note(shop), unknown_sales_note(shop), corrections_note(shop, till)})
        out.notes.push_back(name);
      std::set<std::string> skus;
      for (const OpenedOp& each : push->ops) {
        out.keys.emplace_back(shop, each.op.key);
        for (const auto& [sku, move] : stock_moves(each.op.kind, each.op.body)) skus.insert(sku);
      }
      for (const std::string& sku : skus) {
        out.rows.push_back({shop, stock_feed(shop.branch), sku});
        out.notes.push_back(ledger_note(shop, sku));
        out.notes.push_back(prices_note(shop, {"tenant", "product"}, sku));
      }
    }
    return out;
  });
}

BranchIngest& Ingest::branch(const Shop& shop) {
  return branches_.try_emplace(shop, txn_, shop, now_ms_, policies_).first->second;
}

IngestCounts Ingest::finish(const std::map<Shop, std::vector<TillId>>& tills) {
  const auto name_all = [&](auto name) {
    return [&, name] {
      CloudReads reads;
      for (const auto& [shop, branch] : branches_) (branch.stock().*name)(reads);
      return reads;
    };
  };
  for (auto& [shop, branch] : branches_) branch.stock().write_events();
  txn_.expect(name_all(&BranchStock::name_ledgers));
  for (auto& [shop, branch] : branches_) branch.stock().load_ledgers();
  txn_.expect(name_all(&BranchStock::name_events));
  IngestCounts counts;
  for (auto& [shop, branch] : branches_) {
    const auto known = tills.find(shop);
    branch.finish(known == tills.end() ? nullptr : &known->second);
    counts.appended += branch.counts().appended;
    counts.duplicates += branch.counts().duplicates;
    counts.conflicts += branch.counts().conflicts;
  }
  return counts;
}

}  // namespace tillsync
