// What a till or a cloud can be asked: a struct a question. questions.hpp says who may ask each, and what it is
// answered.
#pragma once

#include "transport/api/vocabulary.hpp"

namespace tillsync::api {

struct Nothing {  // a question without a field, or an answer that says only that it is done
  template <class A>
  void describe(A&) {}
};

// Of which branch, at a cloud that serves several: both may be left out where one fits. A till has but one.
struct OfBranch {
  std::string branch{}, tenant{};
  template <class A>
  void describe(A& a) {
    a("branch", branch);
    a("tenant", tenant);
  }
};

struct StatusRequest : Nothing {};
struct CloudStatusRequest : Nothing {};

struct RecordRequest : OfBranch {
  OpDraft op{};
  template <class A>
  void describe(A& a) {
    OfBranch::describe(a);
    a("op", op, kNeeded);
  }
};

// A resolution, signed with the cloud's key.
struct ResolveRequest : RecordRequest {};

// A change of a row's fields as whoever sees the row here makes it; a field that becomes null is gone.
struct EditRequest {
  std::string kind = "product", row{}, key{}, cashier{};
  std::map<std::string, Json> changes{};
  bool deletes = false;
  template <class A>
  void describe(A& a) {
    a("kind", kind);
    a("row", row);
    a("changes", changes);
    a("deletes", deletes);
    a("key", key);
    a("cashier", cashier);
  }
};

struct WaitRequest {
  std::string key{};
  Level level = Level::cloud;
  std::int64_t limit_ms = 10'000;
  template <class A>
  void describe(A& a) {
    a("key", key);
    a("level", level);
    a("limit_ms", limit_ms);
  }
};

struct CommandRequest {  // changes a setting of the branch
  std::string name{};
  Json value{};
  template <class A>
  void describe(A& a) {
    a("name", name, kNeeded);
    a("value", value);
  }
};

struct QueueRequest {
  std::uint64_t limit = 100;
  template <class A>
  void describe(A& a) {
    a("limit", limit);
  }
};

// A page of ops: at a till of all its histories, from a place on; at a cloud of one.
struct OpsRequest : OfBranch {
  std::string till{};
  Incarnation incarnation{};
  Seq from{};
  template <class A>
  void describe(A& a) {
    OfBranch::describe(a);
    a("till", till);
    a("incarnation", incarnation);
    a("from", from);
  }
};

struct ChainsRequest : OfBranch {};
struct StockRequest : OfBranch {};
struct ConflictsRequest : OfBranch {};

struct ConflictsPageRequest {
  std::uint64_t from = 0;  // how many to leave out at the beginning
  template <class A>
  void describe(A& a) {
    a("from", from);
  }
};

struct WhereRequest {
  std::string key{};
  template <class A>
  void describe(A& a) {
    a("key", key);
  }
};

struct RowRequest {
  std::string kind = "product", row{};
  template <class A>
  void describe(A& a) {
    a("kind", kind);
    a("row", row);
  }
};

struct RowsRequest : OfBranch {
  std::string kind = "product";
  template <class A>
  void describe(A& a) {
    OfBranch::describe(a);
    a("kind", kind);
  }
};

struct AvailableRequest {
  std::string sku{};
  std::int64_t milli = 1000;
  template <class A>
  void describe(A& a) {
    a("sku", sku);
    a("milli", milli);
  }
};

struct SettingsRequest : Nothing {};
struct LeaseRequest : Nothing {};
struct CertificateRequest : Nothing {};
struct RosterRequest : Nothing {};
struct RosterHeldRequest : OfBranch {};

struct StepDownRequest {
  std::string to{};  // empty: whoever is next
  template <class A>
  void describe(A& a) {
    a("to", to);
  }
};

struct TakeRosterRequest {
  Octets roster{};
  template <class A>
  void describe(A& a) {
    a("roster", roster, kNeeded);
  }
};

struct FleetRequest : OfBranch {};

struct RowIn {
  std::string id{};
  bool deleted = false;
  Json fields = Json::object();
  template <class A>
  void describe(A& a) {
    a("id", id, kNeeded);
    a("deleted", deleted);
    a("fields", fields);
  }
};

// Rows of the tenant, or of a group of branches.
struct ImportCheckpointRequest : RowsRequest {
  std::string group{};
  template <class A>
  void describe(A& a) {
    RowsRequest::describe(a);
    a("group", group);
  }
};

struct PutRowsRequest : ImportCheckpointRequest {
  std::vector<RowIn> rows{};
  std::optional<std::string> from{}, to{};  // of the checkpoint (engine/cloud/import.hpp)
  template <class A>
  void describe(A& a) {
    ImportCheckpointRequest::describe(a);
    a("rows", rows);
    a("from", from);
    a("to", to);
  }
};

struct OfTenant {
  std::string tenant{};
  template <class A>
  void describe(A& a) {
    a("tenant", tenant);
  }
};

struct OperatorAddRequest : OfTenant {
  std::string name{}, role{};
  std::int64_t days = 0;
  template <class A>
  void describe(A& a) {
    OfTenant::describe(a);
    a("name", name);
    a("role", role);
    a("days", days);
  }
};

struct OperatorsRequest : OfTenant {};

struct OperatorRemoveRequest {
  std::string key_id{};
  template <class A>
  void describe(A& a) {
    a("key_id", key_id);
  }
};

struct WebhookSetRequest : OfTenant {
  std::string url{};
  bool from_start = false, new_secret = false;
  template <class A>
  void describe(A& a) {
    OfTenant::describe(a);
    a("url", url);
    a("from_start", from_start);
    a("new_secret", new_secret);
  }
};

struct WebhookShowRequest : OfTenant {};
struct WebhookAsideRequest : OfTenant {};
struct WebhookRemoveRequest : OfTenant {};

struct WebhookReplayRequest : OfTenant {
  std::string key{};  // of the delivery; empty: all of them
  template <class A>
  void describe(A& a) {
    OfTenant::describe(a);
    a("key", key);
  }
};

struct BackupRequest {
  std::string to{};
  template <class A>
  void describe(A& a) {
    a("to", to, kNeeded);
  }
};

}  // namespace tillsync::api
