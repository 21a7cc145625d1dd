// What the handlers of a cloud's answers share: whom a question is about, and the way to the database and back.
#pragma once

#include "transport/api/answering.hpp"
#include "transport/cloud/cloud_runtime.hpp"

namespace tillsync {

// All that the question may be about; the conflicts of a tenant's shared rows come with the first of its branches.
std::vector<BranchKey> shops_of(const CloudCore& core, const api::Asker& asker, const api::OfBranch& q);
// The one that it is about: named by branch (and tenant, where two have the same), or the only one.
Result<BranchKey> shop_of(const CloudCore& core, const api::Asker& asker, const api::OfBranch& q);
// The tenant: an operator key's own, or by name, by the beginning of its id, or the only one; `or_all`: nobody means
// all.
Result<std::string> tenant_of(const CloudCore& core, const api::Asker& asker, const std::string& wanted,
                              bool or_all = false);

// Runs `body` in one transaction, on a thread of the database's, and replies on the core's.
template <class A>
void in_transaction(CloudRuntime& cloud, api::Does does, const api::Reply<A>& reply,
                    std::function<Result<A>(CloudTxn&)> body) {
  auto out = std::make_shared<A>();
  auto work = [out, does, body = std::move(body)](CloudStore& store) {
    const auto run = [&](CloudTxn& txn) -> Result<void> {
      auto answer = body(txn);
      if (!answer) return tl::unexpected(std::move(answer.error()));
      *out = std::move(*answer);
      return {};
    };
    return does == api::Does::writes ? store.write(run) : store.read(run);
  };
  cloud.on_database(std::move(work), [out, reply](Result<void> done) {
    reply(done ? Result<A>(std::move(*out)) : tl::unexpected(std::move(done.error())));
  });
}

inline Result<api::Nothing> nothing(const Result<void>& done) {
  return done ? Result<api::Nothing>(api::Nothing{}) : tl::unexpected(done.error());
}

void answer_branches(api::Answering& answers, CloudRuntime& cloud);   // ops, stock, rows, fleet ...: cloud_branches.cpp
void answer_conflicts(api::Answering& answers, CloudRuntime& cloud);  // shown and settled: cloud_conflicts.cpp
void answer_operators(api::Answering& answers, CloudRuntime& cloud);  // keys, webhooks, backups: cloud_operators.cpp

}  // namespace tillsync
