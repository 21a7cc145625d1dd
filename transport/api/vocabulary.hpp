// The fields of the public vocabulary's types (storage/include, engine/include), and the names of its enums.
#pragma once

#include <tillsync/availability.hpp>
#include <tillsync/op.hpp>
#include <tillsync/status.hpp>

#include "storage/model/cloud_op.hpp"
#include "transport/api/reflect.hpp"

namespace tillsync::api {

template <>
struct Names<OpKind> {
  static constexpr std::array kAll{"",       "sale",       "refund", "resale", "restock",    "transfer",
                                   "adjust", "count",      "edit",   "price",  "resolution", "clock_correction",
                                   "custom", "incarnation"};
};
template <>
struct Names<Level> {
  static constexpr std::array kAll{"own_disk", "two_disks", "host", "cloud"};
};
template <>
struct Names<OpEffect> {
  static constexpr std::array kAll{"applied", "duplicate", "conflict", "dead"};
};
template <>
struct Names<SellRule> {
  static constexpr std::array kAll{"allow", "warn", "block"};
};
template <>
struct Names<Availability::Answer> {
  static constexpr std::array kAll{"yes", "no", "unknown"};
};

}  // namespace tillsync::api

namespace tillsync {

template <class A>
void describe(A& a, Line& line) {
  if constexpr (A::kReads) line.quantity = Quantity::units(1);  // of a question that says nothing else
  a("sku", line.sku, api::kNeeded);
  a("milli", line.quantity.milli);
  a("unit_price", line.unit_price);
  a("name", line.name);
}

template <class A>
void describe(A& a, OpDraft& draft) {
  Document& d = draft.document;
  a("kind", draft.kind);
  a("key", draft.key);
  a("cashier", draft.cashier);
  a("invoice", d.invoice);
  a("currency", d.currency);
  a("reference", d.reference);
  a("customer", d.customer);
  a("note", d.note);
  a("fields", api::AnyText{d.fields});
  a("lines", d.lines);
}

template <class A>
void describe(A& a, Receipt& receipt) {
  a("incarnation", receipt.incarnation);
  a("seq", receipt.seq);
  a("hlc", receipt.hlc);
  a("hash", receipt.hash);
}

template <class A>
void describe(A& a, PeerStatus& peer) {
  a("name", peer.name);
  a("role", peer.role);
}

template <class A>
void describe(A& a, Status& s) {
  a("branch", s.branch);
  a("till", s.till);
  a("tenant", s.tenant);
  a("roster_version", s.roster_version);
  a("incarnation", s.incarnation);
  a("recorded", s.recorded);
  a("unsent", s.unsent);
  a("kept", s.kept);
  a("one_disk_only", s.one_disk_only);
  a("oldest_unsent_ms", s.oldest_unsent_ms);
  a("relaying", s.relaying);
  a("host", s.host);
  a("lease", s.lease);
  a("is_host", s.is_host);
  a("cloud_connected", s.cloud_connected);
  a("accepting", s.accepting);
  a("database_ok", s.database_ok);
  a("clock_offset_ms", s.clock_offset_ms);
  a("rows", s.rows);
  a("rows_diverged", s.rows_diverged);
  a("forks", s.forks);
  a("fork_open", s.fork_open);
  a("refused_messages", s.refused_messages);
  a("host_changes", s.host_changes);
  a("peers", s.peers);
}

}  // namespace tillsync
