#include "transport/cloud/cloud_control.hpp"

#include <algorithm>

#include "engine/cloud/fleet.hpp"
#include "engine/cloud/import.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/feeds.hpp"
#include "storage/model/op_codec.hpp"
#include "storage/model/row_groups.hpp"
#include "transport/base/clock.hpp"
#include "transport/cloud/cloud_operators.hpp"

namespace tillsync {

namespace {

constexpr std::size_t kPage = 500;

// All that the question may be about; the conflicts of a tenant's shared rows come with the first of its branches.
std::vector<BranchKey> shops_of(const CloudCore& core, const Json& q) {
  const std::string branch = q.value("branch", ""), tenant = q.value("tenant", "");
  std::vector<BranchKey> found;
  for (const auto& [shop, roster] : core.rosters()) {
    if ((branch.empty() || shop.branch.text == branch) && (tenant.empty() || shop.tenant.starts_with(tenant)))
      found.push_back(shop);
  }
  return found;
}

// The shop a question is about: named by branch (and tenant, where two have the same), or the only one.
Result<BranchKey> shop_of(const CloudCore& core, const Json& q) {
  const std::vector<BranchKey> found = shops_of(core, q);
  if (found.size() == 1) return found.front();
  return found.empty()
             ? fail(ErrorKind::not_found, "this cloud has no such branch: 'tillsync status --data FOLDER' lists them")
             : fail(ErrorKind::invalid, "several branches fit: name one with --branch (and --tenant)");
}

Json status_json(const CloudRuntime& cloud, const CloudCore& core) {
  Json shops = Json::array();
  for (const auto& [shop, roster] : core.rosters()) {
    shops.push_back({{"tenant", roster.tenant},
                     {"tenant_id", shop.tenant},
                     {"branch", shop.branch.text},
                     {"roster_version", roster.version}});
    if (const Certificate* lease = core.leader(shop))
      shops.back()["host"] = {{"till", lease->ballot.candidate.text}, {"term", lease->ballot.term.value}};
  }
  const CloudStatus status = core.status();
  const CloudCounters& n = status.counters;
  return {
      {"role", "cloud"}, {"key", cloud.key().hex()},   {"port", cloud.port()},     {"connections", status.connections},
      {"ops", n.ops},    {"duplicates", n.duplicates}, {"conflicts", n.conflicts}, {"refused", status.refused},
      {"shops", shops}};
}

Json ops_page(CloudTxn& txn, const BranchKey& shop, const Json& q) {
  const ChainId chain{TillId{q.value("till", "")}, Incarnation{q.value("incarnation", std::uint64_t{0})}};
  Json ops = Json::array();
  bool more = false;
  txn.ops(shop, chain, Seq{q.value("from", std::uint64_t{1})}, [&](const CloudOp& op) {
    more = ops.size() >= kPage;
    if (more) return false;
    const auto decoded = decode_op(op.bytes);
    Json each = decoded ? to_json(*decoded, blake2b(op.bytes)) : Json{{"unreadable", true}};
    each["effect"] = name_of(op.effect);
    ops.push_back(std::move(each));
    return true;
  });
  return {{"ops", ops}, {"more", more}};
}

Json chains_json(CloudTxn& txn, const BranchKey& shop) {
  Json out = Json::array();
  for (const auto& [chain, point] : txn.chains(shop)) {
    out.push_back({{"till", chain.till.text},
                   {"incarnation", chain.incarnation.value},
                   {"seq", point.seq.value},
                   {"hash", point.hash.hex()}});
  }
  return out;
}

Json rows_json(CloudTxn& txn, const BranchKey& shop, const FeedKind& feed,
               const std::function<Json(const Row&)>& value) {
  Json out = Json::object();
  txn.rows_after(shop, feed, {}, [&](const Row& row) {
    if (!row.deleted) out[row.id] = value(row);
    return true;
  });
  return out;
}

FeedKind feed_of(const Json& q) {
  const std::string group = q.value("group", "");
  return {group.empty() ? "tenant" : group_feed(group), q.value("kind", "product")};
}

ImportBatch batch_of(const Json& q) {
  ImportBatch batch{feed_of(q), {}, {}, {}};
  for (const Json& row : q.value("rows", Json::array()))
    batch.rows.push_back(
        {row.value("id", ""), row.value("deleted", false), fields_from(row.value("fields", Json::object()))});
  if (q.contains("from")) batch.from = q["from"].get<std::string>();
  if (q.contains("to")) batch.to = q["to"].get<std::string>();
  return batch;
}

Result<void> read_page(CloudStore& store, const std::string& what, const BranchKey& shop, const Json& q, Json& out) {
  return store.read([&](CloudTxn& txn) -> Result<void> {
    if (what == "ops") out = ops_page(txn, shop, q);
    if (what == "import_checkpoint") out = {{"checkpoint", import_checkpoint(txn, shop, feed_of(q))}};
    if (what == "chains") out = chains_json(txn, shop);
    if (what == "rows") {
      out = rows_json(txn, shop, {"tenant", q.value("kind", "product")},
                      [](const Row& row) { return fields_json(row.fields); });
    }
    if (what == "stock") {
      out = rows_json(txn, shop, stock_feed(shop.branch),
                      [](const Row& row) { return Json(unpack<StockRow>(row.fields).value_or(StockRow{}).milli); });
    }
    return {};
  });
}

void settle(CloudRuntime& cloud, const Json& q, const ControlReply& reply) {
  const auto shop = shop_of(cloud.core(), q);
  if (!shop) return reply(tl::unexpected(shop.error()));
  auto draft = draft_from(q.value("op", Json()));
  if (!draft) return reply(tl::unexpected(draft.error()));
  cloud.settle(*shop, std::move(*draft), [reply](Result<void> done) {
    reply(done ? Result<Json>(Json::object()) : tl::unexpected(done.error()));
  });
}

void import(CloudRuntime& cloud, const Json& q, const ControlReply& reply) {
  const auto shop = shop_of(cloud.core(), q);
  if (!shop) return reply(tl::unexpected(shop.error()));
  cloud.import(shop->tenant, batch_of(q), [reply](const Result<std::uint64_t>& changed) {
    reply(changed ? Result<Json>(Json{{"changed", *changed}}) : tl::unexpected(changed.error()));
  });
}

void take_roster(CloudRuntime& cloud, const Json& q, const ControlReply& reply) {
  const auto roster = Roster::decode(bytes_from(q.value("roster", Json::array())));
  if (!roster) return reply(fail(ErrorKind::invalid, "this is no roster signed by its tenant"));
  cloud.take_roster(*roster, [&cloud, roster = *roster, reply](Result<void> taken) {
    if (!taken) return reply(tl::unexpected(taken.error()));
    const Roster& mine = cloud.core().rosters().at(BranchKey{roster.keys.id(), roster.branch});
    reply(Json{{"branch", mine.branch.text}, {"version", mine.version}, {"same", mine.signature == roster.signature}});
  });
}

void answer(CloudRuntime& cloud, const Json& q, const ControlReply& reply) {
  const std::string what = q.value("do", "");
  if (what == "status") return reply(status_json(cloud, cloud.core()));
  if (what == "take_roster") return take_roster(cloud, q, reply);
  if (what == "fleet")
    return read_later(cloud, reply, [shops = shops_of(cloud.core(), q)](CloudTxn& txn) -> Result<Json> {
      return to_json(read_fleet(txn, {}, shops), read_clock().wall_ms);
    });
  if (operators_question(what)) return answer_operators(cloud, q, reply);
  if (what == "conflicts") return cloud.conflicts(shops_of(cloud.core(), q), reply);
  if (what == "resolve") return settle(cloud, q, reply);
  if (what == "roster_held") {
    const auto shop = shop_of(cloud.core(), q);
    if (!shop) return reply(tl::unexpected(shop.error()));
    return reply(Json{{"roster", bytes_json(cloud.core().rosters().at(*shop).encoded())}});
  }
  if (what == "put_rows") return import(cloud, q, reply);
  constexpr const char* kDatabase[] = {"ops", "chains", "rows", "stock", "import_checkpoint"};
  if (std::find(std::begin(kDatabase), std::end(kDatabase), what) == std::end(kDatabase)) {
    return reply(fail(ErrorKind::invalid, "a cloud does not know the question '" + what + "'"));
  }
  auto shop = shop_of(cloud.core(), q);
  if (!shop) return reply(tl::unexpected(shop.error()));
  auto out = std::make_shared<Json>();
  cloud.on_database(
      [what, q, out, shop = *shop](CloudStore& store) { return read_page(store, what, shop, q, *out); },
      [out, reply](Result<void> done) { reply(done ? Result<Json>(std::move(*out)) : tl::unexpected(done.error())); });
}

}  // namespace

ControlHandler cloud_control(CloudRuntime& cloud) {
  return always_answering([&cloud](const Json& q, const ControlReply& reply) { answer(cloud, q, reply); });
}

}  // namespace tillsync
