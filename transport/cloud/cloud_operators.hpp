// What the operator of a cloud sets up on its machine: keys of people and programs, webhooks, backups. Whoever may open
// the control socket owns the data folder, and may all of it.
#pragma once

#include "transport/api/socket.hpp"
#include "transport/cloud/cloud_runtime.hpp"

namespace tillsync {

bool operators_question(const std::string& what);
void answer_operators(CloudRuntime& cloud, const Json& q, const ControlReply& reply);

// Runs in one transaction, on a thread of the database's.
void read_later(CloudRuntime& cloud, const ControlReply& reply, std::function<Result<Json>(CloudTxn&)> body);
void write_later(CloudRuntime& cloud, const ControlReply& reply, std::function<Result<Json>(CloudTxn&)> body);

// Shared with HTTP (transport/http/): a tenant's webhook as its people may see it.
Json webhook_json(CloudTxn& txn, const std::string& tenant);
Json aside_json(CloudTxn& txn, const std::string& tenant);
std::uint64_t replay_aside(CloudTxn& txn, const std::string& tenant, const std::string& key);

}  // namespace tillsync
