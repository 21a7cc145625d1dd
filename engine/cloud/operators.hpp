// Keys of people and programs that are no tills: one secret each, shown once, of which the record keeps a hash. A key
// belongs to a tenant and has one role (rights.hpp); only one for metrics may see all tenants.
#pragma once

#include <optional>
#include <string>
#include <tillsync/result.hpp>
#include <vector>

#include "engine/cloud/rights.hpp"
#include "storage/model/cloud_store.hpp"

namespace tillsync {

struct Operator {
  std::string id, name;
  std::string tenant;  // empty: all, and its role is metrics
  Party role = Party::metrics;
  Hash secret;                               // BLAKE2b of it
  std::int64_t made_ms = 0, expires_ms = 0;  // 0: never
  template <class A>
  void fields(A& a) {
    a(id, name, tenant, role, secret, made_ms, expires_ms);
  }
};

// A key as it is given out: "tso_<id>_<secret>", of `random`'s 40 bytes.
struct OperatorKey {
  std::string id, secret;
  static std::optional<OperatorKey> parse(const std::string& text);
  static OperatorKey of(ByteView random);
  std::string text() const { return "tso_" + id + "_" + secret; }
};

// Errors: invalid, of a role that no operator has, or a tenant that is missing.
Result<void> add_operator(CloudTxn& txn, Operator fresh, const OperatorKey& key);
bool drop_operator(CloudTxn& txn, const std::string& id);
std::vector<Operator> operators(CloudTxn& txn);
// Whose key it is. Errors: refused, with what to do.
Result<Operator> find_operator(CloudTxn& txn, const std::string& key, std::int64_t now_ms);

}  // namespace tillsync
