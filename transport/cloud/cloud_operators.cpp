#include "transport/cloud/cloud_operators.hpp"

#include <sodium.h>

#include <algorithm>

#include "engine/cloud/ingest/meta_names.hpp"
#include "engine/cloud/ingest/outbox.hpp"
#include "engine/cloud/operators.hpp"
#include "transport/base/clock.hpp"

namespace tillsync {

namespace {

constexpr const char* kQuestions[] = {"operator_add",   "operators",      "operator_remove",
                                      "webhook_set",    "webhook_show",   "webhook_aside",
                                      "webhook_replay", "webhook_remove", "backup"};

std::string random_hex(std::size_t bytes) {
  std::string raw(bytes, '\0'), text(2 * bytes + 1, '\0');
  randombytes_buf(raw.data(), raw.size());
  sodium_bin2hex(text.data(), text.size(), reinterpret_cast<const unsigned char*>(raw.data()), raw.size());
  text.pop_back();
  return text;
}

// By name, by the beginning of its id, or the only one; `optional`: nobody means all.
Result<std::string> tenant_of(const CloudCore& core, const Json& q, bool optional = false) {
  const std::string wanted = q.value("tenant", "");
  if (wanted.empty() && optional) return std::string();
  std::set<std::string> found;
  for (const auto& [shop, roster] : core.rosters()) {
    if (wanted.empty() || roster.tenant == wanted || shop.tenant.starts_with(wanted)) found.insert(shop.tenant);
  }
  if (found.size() == 1) return *found.begin();
  return found.empty() ? fail(ErrorKind::not_found,
                              "this cloud serves no such tenant: 'tillsync status --data FOLDER' lists them")
                       : fail(ErrorKind::invalid, "several tenants fit: name one with --tenant");
}

Result<Json> add(CloudTxn& txn, const Json& q, const std::string& tenant) {
  const auto role = party_named(q.value("role", ""));
  if (!role) return fail(ErrorKind::invalid, "a role is one of support, manager, headquarters, metrics");
  std::string random(40, '\0');
  randombytes_buf(random.data(), random.size());
  const OperatorKey key = OperatorKey::of(random);
  const std::int64_t now_ms = read_clock().wall_ms, days = q.value("days", std::int64_t{0});
  Operator fresh{{}, q.value("name", ""), tenant, *role, {}, now_ms, days > 0 ? now_ms + days * 24 * 3600 * 1000 : 0};
  if (fresh.name.empty() || fresh.name.size() > 64)
    return fail(ErrorKind::invalid, "a key's name has 1 to 64 bytes: who, or what, uses it");
  if (auto added = add_operator(txn, std::move(fresh), key); !added) return tl::unexpected(added.error());
  return Json{{"id", key.id}, {"key", key.text()}};
}

Json list(CloudTxn& txn) {
  Json out = Json::array();
  for (const Operator& each : operators(txn))
    out.push_back({{"id", each.id},
                   {"name", each.name},
                   {"role", name_of(each.role)},
                   {"tenant_id", each.tenant},
                   {"made_ms", each.made_ms},
                   {"expires_ms", each.expires_ms}});
  return out;
}

Result<Json> set_webhook(CloudTxn& txn, const Json& q, const std::string& tenant) {
  Outbox outbox(txn);
  const auto known = outbox.webhook(tenant);
  Webhook hook{q.value("url", ""), known ? known->secret : random_hex(32),
               known ? known->since_ms : read_clock().wall_ms};
  if (q.value("new_secret", false)) hook.secret = random_hex(32);
  if (!hook.url.starts_with("https://") && !hook.url.starts_with("http://"))
    return fail(ErrorKind::invalid, "'" + hook.url + "' is no address of a webhook: write https://HOST/PATH");
  outbox.set_webhook(tenant, hook, q.value("from_start", false));
  for (auto& [shop, state] : outbox.states(tenant)) outbox.try_now(shop);
  return Json{{"url", hook.url}, {"secret", hook.secret}};
}

Result<Json> in_transaction(CloudTxn& txn, const std::string& what, const Json& q, const std::string& tenant) {
  if (what == "operators") return list(txn);
  if (what == "operator_add") return add(txn, q, tenant);
  if (what == "operator_remove") {
    if (!drop_operator(txn, q.value("key_id", "")))
      return fail(ErrorKind::not_found, "there is no key with that id: 'tillsync operator list' shows them");
    return Json::object();
  }
  if (what == "webhook_set") return set_webhook(txn, q, tenant);
  if (what == "webhook_show") return webhook_json(txn, tenant);
  if (what == "webhook_aside") return aside_json(txn, tenant);
  if (what == "webhook_replay") return Json{{"replayed", replay_aside(txn, tenant, q.value("key", ""))}};
  Outbox(txn).remove_webhook(tenant);
  return Json::object();
}

void later(CloudRuntime& cloud, bool writes, const ControlReply& reply, std::function<Result<Json>(CloudTxn&)> body) {
  auto out = std::make_shared<Json>();
  auto work = [out, writes, body = std::move(body)](CloudStore& store) {
    const auto run = [&](CloudTxn& txn) -> Result<void> {
      auto answer = body(txn);
      if (!answer) return tl::unexpected(answer.error());
      *out = std::move(*answer);
      return {};
    };
    return writes ? store.write(run) : store.read(run);
  };
  cloud.on_database(std::move(work), [out, reply](Result<void> done) {
    reply(done ? Result<Json>(std::move(*out)) : tl::unexpected(done.error()));
  });
}

}  // namespace

void read_later(CloudRuntime& cloud, const ControlReply& reply, std::function<Result<Json>(CloudTxn&)> body) {
  later(cloud, false, reply, std::move(body));
}

void write_later(CloudRuntime& cloud, const ControlReply& reply, std::function<Result<Json>(CloudTxn&)> body) {
  later(cloud, true, reply, std::move(body));
}

Json webhook_json(CloudTxn& txn, const std::string& tenant) {
  Outbox outbox(txn);
  const auto hook = outbox.webhook(tenant);
  if (!hook) return {{"url", nullptr}};
  Json branches = Json::array();
  for (const auto& [shop, state] : outbox.states(tenant)) {
    branches.push_back({{"branch", shop.branch.text},
                        {"delivered", state.ops_out},
                        {"backlog", state.backlog()},
                        {"set_aside", state.set_aside},
                        {"attempts", state.attempts},
                        {"failing_since_ms", state.failing_since_ms},
                        {"why", state.why}});
  }
  return {{"url", hook->url}, {"branches", branches}};
}

Json aside_json(CloudTxn& txn, const std::string& tenant) {
  Outbox outbox(txn);
  Json out = Json::array();
  for (const auto& [shop, state] : outbox.states(tenant)) {
    for (const SetAside& each : outbox.aside(shop)) {
      Json ranges = Json::array();
      for (const OpRange& r : each.ranges)
        ranges.push_back({{"till", r.till.text},
                          {"incarnation", r.incarnation.value},
                          {"first", r.first.value},
                          {"last", r.last.value}});
      out.push_back(
          {{"branch", shop.branch.text}, {"key", each.key}, {"why", each.why}, {"at_ms", each.at_ms}, {"ops", ranges}});
    }
  }
  return out;
}

std::uint64_t replay_aside(CloudTxn& txn, const std::string& tenant, const std::string& key) {
  Outbox outbox(txn);
  std::uint64_t count = 0;
  for (const auto& [shop, state] : outbox.states(tenant)) count += outbox.replay(shop, key);
  return count;
}

bool operators_question(const std::string& what) { return std::ranges::find(kQuestions, what) != std::end(kQuestions); }

void answer_operators(CloudRuntime& cloud, const Json& q, const ControlReply& reply) {
  const std::string what = q.value("do", "");
  if (what == "backup") {
    const std::string to = q.value("to", "");
    return cloud.on_database(
        [to](CloudStore& store) { return store.copy_to(to); },
        [reply](Result<void> done) { reply(done ? Result<Json>(Json::object()) : tl::unexpected(done.error())); });
  }
  const bool any_tenant =
      what == "operators" || what == "operator_remove" || (what == "operator_add" && q.value("role", "") == "metrics");
  const auto tenant = tenant_of(cloud.core(), q, any_tenant);
  if (!tenant) return reply(tl::unexpected(tenant.error()));
  const bool reads = what == "operators" || what == "webhook_show" || what == "webhook_aside";
  later(cloud, !reads, reply,
        [what, q, tenant = *tenant](CloudTxn& txn) { return in_transaction(txn, what, q, tenant); });
}

}  // namespace tillsync
