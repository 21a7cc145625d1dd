#include "transport/till/till_control.hpp"

#include "storage/base/pack.hpp"
#include "storage/model/op_codec.hpp"
#include "transport/base/clock.hpp"

namespace tillsync {

namespace {

constexpr std::size_t kOpsOfPage = 500;

Result<Json> record_later(TillRuntime& till, const Json& q, const ControlReply& reply) {
  auto draft = draft_from(q.value("op", Json()));
  if (!draft) return tl::unexpected(draft.error());
  till.record(*draft, [reply](Result<Receipt> receipt) {
    reply(receipt ? Result<Json>(to_json(*receipt)) : tl::unexpected(receipt.error()));
  });
  return Json();
}

Result<Json> wait_later(TillRuntime& till, const Json& q, const ControlReply& reply) {
  const auto level = level_named(q.value("level", "cloud"));
  if (!level) return fail(ErrorKind::invalid, "a level is one of own_disk, two_disks, host, cloud");
  till.wait(q.value("key", ""), *level, milliseconds(q.value("limit_ms", 10'000)), [reply](Result<Level> reached) {
    reply(reached ? Result<Json>(Json{{"level", name_of(*reached)}}) : tl::unexpected(reached.error()));
  });
  return Json();
}

Result<Json> command_later(TillRuntime& till, const Json& q, const ControlReply& reply) {
  const std::string name = q.value("name", "");
  if (name.empty() || name.size() > 64) return fail(ErrorKind::invalid, "a setting's name has 1 to 64 bytes");
  till.command(name, fields_from(q.value("value", Json())), [reply](Result<void> done) {
    reply(done ? Result<Json>(Json::object()) : tl::unexpected(done.error()));
  });
  return Json();
}

Result<Json> edit_later(TillRuntime& till, const Json& q, const ControlReply& reply) {
  std::map<std::string, Bytes> changes;
  const Json asked = q.value("changes", Json::object());
  for (const auto& [field, value] : asked.items()) changes[field] = value.is_null() ? Bytes() : fields_from(value);
  OpDraft draft =
      till.node().draft_edit(q.value("kind", "product"), q.value("row", ""), changes, q.value("deletes", false));
  draft.key = q.value("key", "");
  draft.cashier = q.value("cashier", "");
  till.record(draft, [reply](Result<Receipt> receipt) {
    reply(receipt ? Result<Json>(to_json(*receipt)) : tl::unexpected(receipt.error()));
  });
  return Json();
}

Json op_json(ByteView bytes) {
  auto op = decode_op(bytes);
  return op ? to_json(*op, blake2b(bytes)) : Json{{"unreadable", true}};
}

// A page of everything in the vault and the pending set, in (incarnation, seq) order of each.
Json ops_page(TillRuntime& till, const Json& q) {
  Json ops = Json::array();
  Incarnation incarnation{q.value("incarnation", std::uint64_t{0})};
  Seq from{q.value("from", std::uint64_t{0})};
  std::set<std::pair<Incarnation, Seq>> seen;
  till.store().view().all_ops(incarnation, from, [&](Incarnation i, Seq s, ByteView bytes) {
    if (ops.size() >= kOpsOfPage) return false;
    ops.push_back(op_json(bytes));
    seen.insert({i, s});
    return true;
  });
  const bool last = ops.size() < kOpsOfPage;
  for (const PendingOp& p : till.node().own().history().pending()) {
    const auto place = std::pair(p.op.chain.incarnation, p.op.seq);
    if (last && place >= std::pair(incarnation, from) && !seen.contains(place)) ops.push_back(to_json(p.op, p.hash));
  }
  return {{"ops", ops}, {"more", !last}};
}

Json queue_page(TillRuntime& till, const Json& q) {
  Json ops = Json::array();
  for (const PendingOp& p : till.node().unsent(q.value("limit", std::size_t{100}))) {
    Json each = to_json(p.op, p.hash);
    if (auto level = till.node().where(p.op.key)) each["level"] = name_of(*level);
    ops.push_back(std::move(each));
  }
  return {{"unsent", till.status().unsent}, {"ops", ops}};
}

Result<Json> answer(TillRuntime& till, const std::string& what, const Json& q) {
  TillCore& node = till.node();
  if (what == "status") return to_json(till.status());
  if (what == "queue") return queue_page(till, q);
  if (what == "ops") return ops_page(till, q);
  if (what == "where") {
    auto level = node.where(q.value("key", ""));
    return level ? Result<Json>(Json{{"level", name_of(*level)}}) : tl::unexpected(level.error());
  }
  if (what == "stock") {
    Json all = Json::object();
    for (const auto& [sku, milli] : node.all_stock()) all[sku] = milli;
    return all;
  }
  if (what == "row") {
    const auto row = node.row({"tenant", q.value("kind", "product")}, q.value("row", ""));
    if (!row || row->deleted) return fail(ErrorKind::not_found, "this till has no such row");
    return Json{{"id", row->id}, {"version", row->version.value}, {"fields", fields_json(row->fields)}};
  }
  if (what == "lease") {
    return lease_json(node, read_clock());
  }
  if (what == "roster_held") return spread_json(node, read_clock());
  if (what == "certificate") {
    const auto& certificate = node.certificate();
    if (!certificate || !node.roster())
      return fail(ErrorKind::not_found, "no exclusive lease is known here just now: ask again when there is one");
    const Bytes bytes = pack(LeaseProof{*node.roster(), *certificate});
    return Json{{"certificate", bytes_json(bytes)}};
  }
  if (what == "conflicts") {
    Json all = Json::array();
    const StockNow stock = [&](const std::string& sku) { return node.stock(sku); };
    for (const Conflict& c : node.conflicts()) all.push_back(to_json(c, stock));
    return all;
  }
  if (what == "available")
    return to_json(node.available(q.value("sku", ""), Quantity{q.value("milli", 1000)}, read_clock()));
  if (what == "settings") {
    Json all = Json::object();
    for (const Row& row : node.settings()) all[row.id] = fields_json(row.fields);
    return all;
  }
  if (what == "step_down") {
    const std::string to = q.value("to", "");
    till.step_down(to.empty() ? std::nullopt : std::optional(TillId{to}));
    return Json::object();
  }
  if (what == "roster") return node.roster() ? to_json(*node.roster()) : Json();
  if (what == "take_roster") {
    const auto roster = Roster::decode(bytes_from(q.value("roster", Json::array())));
    if (!roster) return fail(ErrorKind::invalid, "this is no roster signed by its tenant");
    till.take_roster(*roster);
    const auto& mine = node.roster();
    return Json{{"version", mine ? mine->version : 0}, {"same", mine && mine->signature == roster->signature}};
  }
  return fail(ErrorKind::invalid, "a till does not know the question '" + what + "'");
}

}  // namespace

ControlHandler till_control(TillRuntime& till) {
  return always_answering([&till](const Json& q, const ControlReply& reply) {
    const TillRuntime::Held held(till.core());
    const std::string what = q.value("do", "");
    const bool later = what == "record" || what == "wait" || what == "command" || what == "edit";
    auto result = what == "record"    ? record_later(till, q, reply)
                  : what == "edit"    ? edit_later(till, q, reply)
                  : what == "wait"    ? wait_later(till, q, reply)
                  : what == "command" ? command_later(till, q, reply)
                                      : answer(till, what, q);
    if (!later || !result) reply(std::move(result));
  });
}

}  // namespace tillsync
