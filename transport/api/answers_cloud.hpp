// What a cloud answers of itself, its branches, its keys and its webhooks.
#pragma once

#include "transport/api/requests.hpp"

namespace tillsync::api {

struct HostOfShop {
  std::string till;
  Term term;
  template <class A>
  void describe(A& a) {
    a("till", till);
    a("term", term);
  }
};

struct ShopView {
  std::string tenant, tenant_id, branch;
  std::uint64_t roster_version = 0;
  std::optional<HostOfShop> host;
  template <class A>
  void describe(A& a) {
    a("tenant", tenant);
    a("tenant_id", tenant_id);
    a("branch", branch);
    a("roster_version", roster_version);
    a("host", host);
  }
};

struct CloudStatus {
  std::string role = "cloud", key;
  std::uint16_t port = 0;
  std::uint64_t connections = 0, ops = 0, duplicates = 0, conflicts = 0, refused = 0;
  std::vector<ShopView> shops;
  template <class A>
  void describe(A& a) {
    a("role", role);
    a("key", key);
    a("port", port);
    a("connections", connections);
    a("ops", ops);
    a("duplicates", duplicates);
    a("conflicts", conflicts);
    a("refused", refused);
    a("shops", shops);
  }
};

struct ChainView {
  std::string till;
  Incarnation incarnation;
  Seq seq;
  Hash hash;
  template <class A>
  void describe(A& a) {
    a("till", till);
    a("incarnation", incarnation);
    a("seq", seq);
    a("hash", hash);
  }
};

struct FleetWebhook {
  std::uint64_t backlog = 0, set_aside = 0;
  std::int64_t failing_ms = 0;
  std::string why;
  template <class A>
  void describe(A& a) {
    a("backlog", backlog);
    a("set_aside", set_aside);
    a("failing_ms", failing_ms);
    a("why", why);
  }
};

struct FleetBranch {
  std::string tenant_id, branch;
  bool ok = false;
  std::string matter;
  std::uint64_t ops = 0, duplicates = 0, refused_ops = 0;
  std::int64_t conflicts = 0;
  std::map<std::string, std::int64_t> conflicts_by_kind;
  std::int64_t silent_ms = 0, behind_ms = 0;
  Term term;
  std::optional<std::string> host;
  std::optional<FleetWebhook> webhook;
  template <class A>
  void describe(A& a) {
    a("tenant_id", tenant_id);
    a("branch", branch);
    a("ok", ok);
    a("matter", matter);
    a("ops", ops);
    a("duplicates", duplicates);
    a("refused_ops", refused_ops);
    a("conflicts", conflicts);
    a("conflicts_by_kind", conflicts_by_kind);
    a("silent_ms", silent_ms);
    a("behind_ms", behind_ms);
    a("term", term);
    a("host", host);
    a("webhook", webhook);
  }
};

struct RowsChanged {
  std::uint64_t changed = 0;
  template <class A>
  void describe(A& a) {
    a("changed", changed);
  }
};

struct Checkpoint {
  std::string checkpoint;
  template <class A>
  void describe(A& a) {
    a("checkpoint", checkpoint);
  }
};

struct KeyMade {
  std::string id, key;
  template <class A>
  void describe(A& a) {
    a("id", id);
    a("key", key);
  }
};

struct OperatorView {
  std::string id, name, role, tenant_id;
  std::int64_t made_ms = 0, expires_ms = 0;
  template <class A>
  void describe(A& a) {
    a("id", id);
    a("name", name);
    a("role", role);
    a("tenant_id", tenant_id);
    a("made_ms", made_ms);
    a("expires_ms", expires_ms);
  }
};

struct WebhookMade {
  std::string url, secret;
  template <class A>
  void describe(A& a) {
    a("url", url);
    a("secret", secret);
  }
};

struct WebhookBranch {
  std::string branch;
  std::uint64_t delivered = 0, backlog = 0, set_aside = 0, attempts = 0;
  std::int64_t failing_since_ms = 0;
  std::string why;
  template <class A>
  void describe(A& a) {
    a("branch", branch);
    a("delivered", delivered);
    a("backlog", backlog);
    a("set_aside", set_aside);
    a("attempts", attempts);
    a("failing_since_ms", failing_since_ms);
    a("why", why);
  }
};

struct WebhookView {
  OrNull<std::string> url;
  std::optional<std::vector<WebhookBranch>> branches;
  template <class A>
  void describe(A& a) {
    a("url", url);
    a("branches", branches);
  }
};

struct OpRangeView {
  std::string till;
  Incarnation incarnation;
  Seq first, last;
  template <class A>
  void describe(A& a) {
    a("till", till);
    a("incarnation", incarnation);
    a("first", first);
    a("last", last);
  }
};

struct AsideView {
  std::string branch, key, why;
  std::int64_t at_ms = 0;
  std::vector<OpRangeView> ops;
  template <class A>
  void describe(A& a) {
    a("branch", branch);
    a("key", key);
    a("why", why);
    a("at_ms", at_ms);
    a("ops", ops);
  }
};

struct Replayed {
  std::uint64_t replayed = 0;
  template <class A>
  void describe(A& a) {
    a("replayed", replayed);
  }
};

}  // namespace tillsync::api
