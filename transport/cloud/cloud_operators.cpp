// What the operator of a cloud sets up on its machine: keys of people and programs, webhooks, backups.
#include <sodium.h>

#include "engine/cloud/operators.hpp"
#include "transport/base/clock.hpp"
#include "transport/cloud/cloud_answers.hpp"

namespace tillsync {

namespace {

using api::Asker;
using api::Does;
using api::Reply;

std::string random_hex(std::size_t bytes) {
  std::string raw(bytes, '\0'), text(2 * bytes + 1, '\0');
  randombytes_buf(raw.data(), raw.size());
  sodium_bin2hex(text.data(), text.size(), reinterpret_cast<const unsigned char*>(raw.data()), raw.size());
  text.pop_back();
  return text;
}

Result<api::KeyMade> add(CloudTxn& txn, const api::OperatorAddRequest& q, const std::string& tenant) {
  const auto role = party_named(q.role);
  if (!role) return fail(ErrorKind::invalid, "a role is one of support, manager, headquarters, metrics");
  std::string random(40, '\0');
  randombytes_buf(random.data(), random.size());
  const OperatorKey key = OperatorKey::of(random);
  const std::int64_t now_ms = read_clock().wall_ms;
  Operator fresh{{}, q.name, tenant, *role, {}, now_ms, q.days > 0 ? now_ms + q.days * 24 * 3600 * 1000 : 0};
  if (fresh.name.empty() || fresh.name.size() > 64)
    return fail(ErrorKind::invalid, "a key's name has 1 to 64 bytes: who, or what, uses it");
  if (auto added = add_operator(txn, std::move(fresh), key); !added) return tl::unexpected(added.error());
  return api::KeyMade{key.id, key.text()};
}

Result<std::vector<api::OperatorView>> list(CloudTxn& txn, const api::OperatorsRequest&, const std::string&) {
  std::vector<api::OperatorView> out;
  for (const Operator& each : operators(txn))
    out.push_back({each.id, each.name, name_of(each.role), each.tenant, each.made_ms, each.expires_ms});
  return out;
}

Result<api::Nothing> remove(CloudTxn& txn, const std::string& key_id) {
  if (drop_operator(txn, key_id)) return api::Nothing{};
  return fail(ErrorKind::not_found, "there is no key with that id: 'tillsync operator list' shows them");
}

Result<api::WebhookMade> set_webhook(CloudTxn& txn, const api::WebhookSetRequest& q, const std::string& tenant) {
  Outbox outbox(txn);
  const auto known = outbox.webhook(tenant);
  Webhook hook{q.url, known ? known->secret : random_hex(32), known ? known->since_ms : read_clock().wall_ms};
  if (q.new_secret) hook.secret = random_hex(32);
  if (!hook.url.starts_with("https://") && !hook.url.starts_with("http://"))
    return fail(ErrorKind::invalid, "'" + hook.url + "' is no address of a webhook: write https://HOST/PATH");
  outbox.set_webhook(tenant, hook, q.from_start);
  for (auto& [shop, state] : outbox.states(tenant)) outbox.try_now(shop);
  return api::WebhookMade{hook.url, hook.secret};
}

Result<api::WebhookView> show_webhook(CloudTxn& txn, const api::WebhookShowRequest&, const std::string& tenant) {
  Outbox outbox(txn);
  api::WebhookView out;
  const auto hook = outbox.webhook(tenant);
  if (!hook) return out;
  out.url = hook->url;
  out.branches.emplace();
  for (const auto& [shop, state] : outbox.states(tenant)) {
    out.branches->push_back({shop.branch.text, state.ops_out, state.backlog(), state.set_aside, state.attempts,
                             state.failing_since_ms, state.why});
  }
  return out;
}

Result<std::vector<api::AsideView>> show_aside(CloudTxn& txn, const api::WebhookAsideRequest&,
                                               const std::string& tenant) {
  Outbox outbox(txn);
  std::vector<api::AsideView> out;
  for (const auto& [shop, state] : outbox.states(tenant)) {
    for (const SetAside& each : outbox.aside(shop)) {
      out.push_back({shop.branch.text, each.key, each.why, each.at_ms, {}});
      for (const OpRange& r : each.ranges) out.back().ops.push_back({r.till.text, r.incarnation, r.first, r.last});
    }
  }
  return out;
}

Result<api::Replayed> replay(CloudTxn& txn, const api::WebhookReplayRequest& q, const std::string& tenant) {
  Outbox outbox(txn);
  api::Replayed out;
  for (const auto& [shop, state] : outbox.states(tenant)) out.replayed += outbox.replay(shop, q.key);
  return out;
}

Result<api::Nothing> remove_webhook(CloudTxn& txn, const api::WebhookRemoveRequest&, const std::string& tenant) {
  Outbox(txn).remove_webhook(tenant);
  return api::Nothing{};
}

template <class R>
bool any_tenant(const R& q) {
  if constexpr (std::same_as<R, api::OperatorAddRequest>) return q.role == "metrics";
  return std::same_as<R, api::OperatorsRequest>;
}

// Of the one tenant that the question is about.
template <class R>
void on_tenant(api::Answering& answers, CloudRuntime& cloud, Does does,
               Result<api::AnswerTo<R>> (*body)(CloudTxn&, const R&, const std::string&)) {
  answers.on_later<R>([&cloud, does, body](const Asker& asker, R q, const Reply<api::AnswerTo<R>>& reply) {
    auto tenant = tenant_of(cloud.core(), asker, q.tenant, any_tenant(q));
    if (!tenant) return reply(tl::unexpected(std::move(tenant.error())));
    in_transaction<api::AnswerTo<R>>(
        cloud, does, reply,
        [body, q = std::move(q), tenant = std::move(*tenant)](CloudTxn& txn) { return body(txn, q, tenant); });
  });
}

}  // namespace

void answer_operators(api::Answering& answers, CloudRuntime& cloud) {
  on_tenant<api::OperatorAddRequest>(answers, cloud, Does::writes, add);
  on_tenant<api::OperatorsRequest>(answers, cloud, Does::reads, list);
  on_tenant<api::WebhookSetRequest>(answers, cloud, Does::writes, set_webhook);
  on_tenant<api::WebhookShowRequest>(answers, cloud, Does::reads, show_webhook);
  on_tenant<api::WebhookAsideRequest>(answers, cloud, Does::reads, show_aside);
  on_tenant<api::WebhookReplayRequest>(answers, cloud, Does::writes, replay);
  on_tenant<api::WebhookRemoveRequest>(answers, cloud, Does::writes, remove_webhook);
  answers.on_later<api::OperatorRemoveRequest>([&cloud](const Asker&, const auto& q, const Reply<api::Nothing>& reply) {
    in_transaction<api::Nothing>(cloud, Does::writes, reply,
                                 [id = q.key_id](CloudTxn& txn) { return remove(txn, id); });
  });
  answers.on_later<api::BackupRequest>([&cloud](const Asker&, const auto& q, const Reply<api::Nothing>& reply) {
    cloud.on_database([to = q.to](CloudStore& store) { return store.copy_to(to); },
                      [reply](const Result<void>& done) { reply(nothing(done)); });
  });
}

}  // namespace tillsync
