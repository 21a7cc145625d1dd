// A branch's ops, stock and rows as a cloud has them, the fleet, and rows that come in over the control socket.
#include "engine/cloud/fleet.hpp"
#include "engine/cloud/import.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/feeds.hpp"
#include "storage/model/row_groups.hpp"
#include "transport/api/views.hpp"
#include "transport/base/clock.hpp"
#include "transport/cloud/cloud_answers.hpp"

namespace tillsync {

namespace {

using api::Asker;
using api::Does;
using api::Reply;

constexpr std::size_t kPage = 500;

// Of the one branch that the question is about.
template <class R>
void on_branch(api::Answering& answers, CloudRuntime& cloud, Does does,
               Result<api::AnswerTo<R>> (*body)(CloudTxn&, const BranchKey&, const R&)) {
  answers.on_later<R>([&cloud, does, body](const Asker& asker, R q, const Reply<api::AnswerTo<R>>& reply) {
    auto shop = shop_of(cloud.core(), asker, q);
    if (!shop) return reply(tl::unexpected(std::move(shop.error())));
    in_transaction<api::AnswerTo<R>>(
        cloud, does, reply,
        [body, shop = std::move(*shop), q = std::move(q)](CloudTxn& txn) { return body(txn, shop, q); });
  });
}

Result<api::OpsPage> ops_page(CloudTxn& txn, const BranchKey& shop, const api::OpsRequest& q) {
  api::OpsPage page;
  txn.ops(shop, ChainId{TillId{q.till}, q.incarnation}, std::max(q.from, Seq{1}), [&](const CloudOp& op) {
    page.more = page.ops.size() >= kPage;
    if (!page.more) page.ops.push_back(api::view_of(op));
    return !page.more;
  });
  return page;
}

Result<std::vector<api::ChainView>> chains(CloudTxn& txn, const BranchKey& shop, const api::ChainsRequest&) {
  std::vector<api::ChainView> out;
  for (const auto& [chain, point] : txn.chains(shop))
    out.push_back({chain.till.text, chain.incarnation, point.seq, point.hash});
  return out;
}

Result<api::Values> rows(CloudTxn& txn, const BranchKey& shop, const api::RowsRequest& q) {
  api::Values out;
  txn.rows_after(shop, {"tenant", q.kind}, {}, [&](const Row& row) {
    if (!row.deleted) out[row.id] = fields_json(row.fields);
    return true;
  });
  return out;
}

Result<api::Stock> stock(CloudTxn& txn, const BranchKey& shop, const api::StockRequest&) {
  api::Stock out;
  txn.rows_after(shop, stock_feed(shop.branch), {}, [&](const Row& row) {
    if (!row.deleted) out[row.id] = unpack<StockRow>(row.fields).value_or(StockRow{}).milli;
    return true;
  });
  return out;
}

FeedKind feed_of(const api::ImportCheckpointRequest& q) {
  return {q.group.empty() ? "tenant" : group_feed(q.group), q.kind};
}

void put_rows(CloudRuntime& cloud, const Asker& asker, const api::PutRowsRequest& q,
              const Reply<api::RowsChanged>& reply) {
  const auto shop = shop_of(cloud.core(), asker, q);
  if (!shop) return reply(tl::unexpected(shop.error()));
  ImportBatch batch{feed_of(q), {}, q.from, q.to};
  for (const api::RowIn& row : q.rows) batch.rows.push_back({row.id, row.deleted, fields_from(row.fields)});
  cloud.import(shop->tenant, std::move(batch), [reply](const Result<std::uint64_t>& changed) {
    reply(changed ? Result<api::RowsChanged>(api::RowsChanged{*changed}) : tl::unexpected(changed.error()));
  });
}

}  // namespace

void answer_branches(api::Answering& answers, CloudRuntime& cloud) {
  on_branch<api::OpsRequest>(answers, cloud, Does::reads, ops_page);
  on_branch<api::ChainsRequest>(answers, cloud, Does::reads, chains);
  on_branch<api::RowsRequest>(answers, cloud, Does::reads, rows);
  on_branch<api::StockRequest>(answers, cloud, Does::reads, stock);
  answers.on_later<api::PutRowsRequest>(
      [&cloud](const Asker& asker, const auto& q, const Reply<api::RowsChanged>& reply) {
        put_rows(cloud, asker, q, reply);
      });
  answers.on_later<api::ImportCheckpointRequest>(
      [&cloud](const Asker& asker, const auto& q, const Reply<api::Checkpoint>& reply) {
        const auto shop = asker.tenant.empty() ? shop_of(cloud.core(), asker, q) : BranchKey{asker.tenant, {}};
        if (!shop) return reply(tl::unexpected(shop.error()));
        in_transaction<api::Checkpoint>(cloud, Does::reads, reply, [shop = *shop, feed = feed_of(q)](CloudTxn& txn) {
          return Result<api::Checkpoint>(api::Checkpoint{import_checkpoint(txn, shop, feed)});
        });
      });
  answers.on_later<api::FleetRequest>([&cloud](const Asker& asker, const auto& q,
                                               const Reply<std::vector<api::FleetBranch>>& reply) {
    in_transaction<std::vector<api::FleetBranch>>(
        cloud, Does::reads, reply, [tenant = asker.tenant, shops = shops_of(cloud.core(), asker, q)](CloudTxn& txn) {
          return Result<std::vector<api::FleetBranch>>(
              api::view_of(read_fleet(txn, tenant, shops), read_clock().wall_ms));
        });
  });
}

}  // namespace tillsync
