// What a till answers, and what ops and rosters are shown as at every tier.
#pragma once

#include "transport/api/requests.hpp"

namespace tillsync::api {

struct StatusAnswer : Status {
  bool running = true;  // false: what its data folder says, read while nothing runs on it
  template <class A>
  void describe(A& a) {
    tillsync::describe(a, static_cast<Status&>(*this));
    a("running", running);
  }
};

struct Reached {
  Level level = Level::own_disk;
  template <class A>
  void describe(A& a) {
    a("level", level);
  }
};

struct OriginView {
  Incarnation incarnation;
  Seq seq;
  template <class A>
  void describe(A& a) {
    a("incarnation", incarnation);
    a("seq", seq);
  }
};

struct OpView {
  std::string branch, till;
  Incarnation incarnation;
  Seq seq;
  Hlc hlc;
  std::int64_t at_ms = 0;
  Hash hash;
  std::string kind;  // "unknown" of a newer release's: kind_number tells
  std::int64_t kind_number = 0;
  std::string key;
  std::optional<std::string> cashier;
  std::optional<OriginView> origin;
  std::optional<std::string> invoice, currency, reference, customer, note;  // of those with a document
  std::optional<std::vector<Line>> lines;
  std::optional<std::map<std::string, std::string>> fields;
  std::optional<Level> level;      // in a queue: how safe it is
  std::optional<OpEffect> effect;  // at a cloud
  std::optional<std::string> id;   // in a delivery: till/incarnation/seq
  std::optional<bool> unreadable;  // true: its bytes are no op
  template <class A>
  void describe(A& a) {
    a("branch", branch);
    a("till", till);
    a("incarnation", incarnation);
    a("seq", seq);
    a("hlc", hlc);
    a("at_ms", at_ms);
    a("hash", hash);
    a("kind", kind);
    a("kind_number", kind_number);
    a("key", key);
    a("cashier", cashier);
    a("origin", origin);
    a("invoice", invoice);
    a("currency", currency);
    a("reference", reference);
    a("customer", customer);
    a("note", note);
    a("lines", lines);
    a("fields", fields);
    a("level", level);
    a("effect", effect);
    a("id", id);
    a("unreadable", unreadable);
  }
};

struct OpsPage {
  std::vector<OpView> ops;
  bool more = false;
  template <class A>
  void describe(A& a) {
    a("ops", ops);
    a("more", more);
  }
};

struct Delivered {  // what a webhook is sent
  std::string tenant, branch;
  std::vector<OpView> ops;
  template <class A>
  void describe(A& a) {
    a("tenant", tenant);
    a("branch", branch);
    a("ops", ops);
  }
};

struct QueuePage {
  std::uint64_t unsent = 0;
  std::vector<OpView> ops;
  template <class A>
  void describe(A& a) {
    a("unsent", unsent);
    a("ops", ops);
  }
};

struct RowView {
  std::string id;
  RowVersion version;
  Json fields;
  template <class A>
  void describe(A& a) {
    a("id", id);
    a("version", version);
    a("fields", fields);
  }
};

struct AvailabilityView {
  Availability::Answer answer = Availability::Answer::unknown;
  SellRule rule = SellRule::allow;
  std::string why;
  OrNull<std::int64_t> believed_milli, age_ms;
  template <class A>
  void describe(A& a) {
    a("answer", answer);
    a("rule", rule);
    a("why", why);
    a("believed_milli", believed_milli);
    a("age_ms", age_ms);
  }
};

struct MemberView {
  std::string name, key, role;
  std::uint32_t votes = 0;
  bool joined = false;  // by the cloud
  template <class A>
  void describe(A& a) {
    a("name", name);
    a("key", key);
    a("role", role);
    a("votes", votes);
    a("joined", joined);
  }
};

struct RosterView {
  std::string tenant, tenant_id, branch;
  std::uint64_t version = 0;
  std::uint32_t lease_ms = 0;
  std::vector<MemberView> members;
  std::uint64_t epoch = 0;
  bool frozen = false;
  std::int64_t issued_ms = 0;
  bool cloud_pairs = false;
  template <class A>
  void describe(A& a) {
    a("tenant", tenant);
    a("tenant_id", tenant_id);
    a("branch", branch);
    a("version", version);
    a("lease_ms", lease_ms);
    a("members", members);
    a("epoch", epoch);
    a("frozen", frozen);
    a("issued_ms", issued_ms);
    a("cloud_pairs", cloud_pairs);
  }
};

// The roster, who holds it durably, and for how long most have; a cloud says only the roster.
struct RosterHeld {
  std::uint64_t version = 0;
  Octets roster;
  std::vector<std::string> holders;
  OrNull<std::int64_t> most_hold_ms;
  template <class A>
  void describe(A& a) {
    a("version", version);
    a("roster", roster);
    a("holders", holders);
    a("most_hold_ms", most_hold_ms);
  }
};

struct RosterTaken {
  std::string branch;
  std::uint64_t version = 0;
  bool same = false;  // as the one that was brought
  template <class A>
  void describe(A& a) {
    a("branch", branch);
    a("version", version);
    a("same", same);
  }
};

struct CertificateAnswer {
  Octets certificate;
  template <class A>
  void describe(A& a) {
    a("certificate", certificate);
  }
};

struct LeaseTill {
  std::string name;
  std::uint32_t votes = 0;
  bool self = false, connected = false;
  OrNull<std::int64_t> heard_ms_ago;
  OrNull<std::uint64_t> unsent, roster_version, fitness;
  template <class A>
  void describe(A& a) {
    a("name", name);
    a("votes", votes);
    a("self", self);
    a("connected", connected);
    a("heard_ms_ago", heard_ms_ago);
    a("unsent", unsent);
    a("roster_version", roster_version);
    a("fitness", fitness);
  }
};

struct LeaseEvidence {  // a till that granted twice in a term
  std::string till;
  Term term;
  std::vector<std::string> granted;
  template <class A>
  void describe(A& a) {
    a("till", till);
    a("term", term);
    a("granted", granted);
  }
};

struct LeaseIgnored {
  std::string from, what;
  std::uint64_t count = 0;
  template <class A>
  void describe(A& a) {
    a("from", from);
    a("what", what);
    a("count", count);
  }
};

struct LeaseChange {
  std::int64_t at_ms = 0;
  std::string host, kind;
  Term term;
  std::string reason;
  template <class A>
  void describe(A& a) {
    a("at_ms", at_ms);
    a("host", host);
    a("kind", kind);
    a("term", term);
    a("reason", reason);
  }
};

struct LeaseAnswer {
  std::string branch, kind, host;  // the kind: none, provisional, exclusive
  Term term;
  std::int64_t since_ms = 0, remaining_ms = 0;
  std::uint32_t votes = 0, majority = 0;
  std::uint64_t roster_version = 0, unsent = 0;
  std::vector<LeaseTill> tills;
  std::uint64_t epoch = 0;
  bool frozen = false, witness = false;
  std::vector<LeaseEvidence> evidence;
  std::vector<LeaseIgnored> ignored;
  std::vector<LeaseChange> history;  // oldest first
  bool running = true;               // false: what its data folder says, read while nothing runs on it
  template <class A>
  void describe(A& a) {
    a("branch", branch);
    a("kind", kind);
    a("host", host);
    a("term", term);
    a("since_ms", since_ms);
    a("remaining_ms", remaining_ms);
    a("votes", votes);
    a("majority", majority);
    a("roster_version", roster_version);
    a("unsent", unsent);
    a("tills", tills);
    a("epoch", epoch);
    a("frozen", frozen);
    a("witness", witness);
    a("evidence", evidence);
    a("ignored", ignored);
    a("history", history);
    a("running", running);
  }
};

}  // namespace tillsync::api
