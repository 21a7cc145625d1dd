// The conflicts of a cloud, shown and settled: on this machine, or by people with a key.
#include <set>

#include "engine/cloud/ingest/conflict_book.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/feeds.hpp"
#include "transport/api/views.hpp"
#include "transport/cloud/cloud_answers.hpp"

namespace tillsync {

namespace {

std::vector<api::ConflictView> conflicts_of(CloudTxn& txn, const std::vector<BranchKey>& shops) {
  std::vector<api::ConflictView> out;
  std::set<std::pair<std::string, std::string>> shared;  // those that a tenant's branches share
  for (const BranchKey& shop : shops) {
    const StockNow stock = [&](const std::string& sku) {
      const auto row = txn.row(shop, stock_feed(shop.branch), sku);
      const auto of = row ? unpack<StockRow>(row->fields) : std::nullopt;
      return of ? std::optional(of->milli) : std::nullopt;
    };
    for (const Conflict& c : ConflictBook::all(txn, shop)) {
      if (!c.row || shared.insert({shop.tenant, c.id}).second) out.push_back(api::view_of(c, stock));
    }
  }
  return out;
}

void settle(CloudRuntime& cloud, const api::Asker& asker, const api::ResolveRequest& q,
            const api::Reply<api::Nothing>& reply) {
  const auto shop = shop_of(cloud.core(), asker, q);
  if (!shop) return reply(tl::unexpected(shop.error()));
  cloud.settle(*shop, q.op, [reply](const Result<void>& done) { reply(nothing(done)); });
}

// With the rosters of the asker's branches: it signs what it says with a key that they name.
void answer_page(CloudRuntime& cloud, const api::Asker& asker, std::uint64_t from,
                 const api::Reply<api::ConflictsPage>& reply) {
  const std::vector<BranchKey> shops = shops_of(cloud.core(), asker, {});
  std::map<std::string, api::Octets> rosters;
  for (const BranchKey& shop : shops) rosters[shop.branch.text] = {cloud.core().rosters().at(shop).encoded()};
  in_transaction<api::ConflictsPage>(cloud, api::Does::reads, reply, [shops, rosters, from](CloudTxn& txn) {
    api::ConflictsPage page = api::page_of(conflicts_of(txn, shops), from);
    page.rosters = rosters;
    return Result<api::ConflictsPage>(std::move(page));
  });
}

}  // namespace

void answer_conflicts(api::Answering& answers, CloudRuntime& cloud) {
  answers.on_later<api::ConflictsRequest>(
      [&cloud](const api::Asker& asker, const auto& q, const api::Reply<std::vector<api::ConflictView>>& reply) {
        in_transaction<std::vector<api::ConflictView>>(
            cloud, api::Does::reads, reply, [shops = shops_of(cloud.core(), asker, q)](CloudTxn& txn) {
              return Result<std::vector<api::ConflictView>>(conflicts_of(txn, shops));
            });
      });
  answers.on_later<api::ConflictsPageRequest>([&cloud](const api::Asker& asker, const auto& q, const auto& reply) {
    answer_page(cloud, asker, q.from, reply);
  });
  answers.on_later<api::ResolveRequest>(
      [&cloud](const api::Asker& asker, const auto& q, const auto& reply) { settle(cloud, asker, q, reply); });
}

}  // namespace tillsync
