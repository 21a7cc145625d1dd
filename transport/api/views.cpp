#include "transport/api/views.hpp"

#include <algorithm>

#include "storage/model/op_codec.hpp"

namespace tillsync::api {

namespace {

std::optional<std::string> unless_empty(std::string text) {
  return text.empty() ? std::nullopt : std::optional(std::move(text));
}

FleetBranch branch_view(const BranchReport& each, const Health& health, std::int64_t now_ms) {
  const auto since = [&](std::int64_t ms) { return ms == 0 ? 0 : std::max<std::int64_t>(0, now_ms - ms); };
  FleetBranch out;
  out.tenant_id = each.shop.tenant, out.branch = each.shop.branch.text;
  out.ok = health.score == 0, out.matter = health.words;
  out.ops = each.tally.ops, out.duplicates = each.tally.duplicates, out.refused_ops = each.tally.refused_ops;
  out.conflicts = each.tally.conflicts(), out.conflicts_by_kind = each.tally.waiting;
  out.silent_ms = since(each.tally.heard_ms), out.behind_ms = since(each.complete_ms);
  out.term = each.lease.term;
  if (each.lease.holder) out.host = each.lease.holder->text;
  if (each.outbox) {
    const std::int64_t failing = each.outbox->failing_since_ms;
    out.webhook = {each.outbox->backlog(), each.outbox->set_aside, failing == 0 ? 0 : now_ms - failing,
                   each.outbox->why};
  }
  return out;
}

}  // namespace

OpView view_of(const Op& op, const Hash& hash) {
  OpView out;
  out.branch = op.branch.text, out.till = op.chain.till.text;
  out.incarnation = op.chain.incarnation, out.seq = op.seq;
  out.hlc = op.hlc, out.at_ms = op.hlc.millis(), out.hash = hash;
  out.kind = name_of(op.kind), out.kind_number = static_cast<std::int64_t>(op.kind);
  out.key = op.key;
  out.cashier = unless_empty(op.cashier);
  if (op.origin) out.origin = {op.origin->incarnation, op.origin->seq};
  auto document = decode_document(op.body);
  if (!document) return out;
  out.invoice = std::move(document->invoice), out.currency = std::move(document->currency);
  out.reference = unless_empty(std::move(document->reference));
  out.customer = unless_empty(std::move(document->customer));
  out.note = unless_empty(std::move(document->note));
  out.lines = std::move(document->lines);
  if (!document->fields.empty()) out.fields = std::move(document->fields);
  return out;
}

OpView view_of(const ChainId& chain, Seq seq, ByteView bytes) {
  if (const auto op = decode_op(bytes)) return view_of(*op, blake2b(bytes));
  OpView out;
  out.till = chain.till.text, out.incarnation = chain.incarnation, out.seq = seq;
  out.hash = blake2b(bytes);
  out.kind = "unknown", out.unreadable = true;
  return out;
}

OpView view_of(const CloudOp& op) {
  OpView out = view_of(op.chain, op.seq, op.bytes);
  out.effect = op.effect;
  return out;
}

RosterView view_of(const Roster& roster) {
  constexpr std::array kRoles{"till", "cloud", "manager", "support"};
  RosterView out{
      roster.tenant, roster.keys.id(), roster.branch.text,         roster.version, roster.lease_ms, {}, roster.epoch,
      roster.frozen, roster.issued_ms, !roster.pairing_key.empty()};
  for (const Member& m : roster.members) {
    out.members.push_back({m.name.text, PublicKey::from_bytes(m.key)->hex(), kRoles[static_cast<std::size_t>(m.role)],
                           m.votes, !m.joined.empty()});
  }
  return out;
}

AvailabilityView view_of(const Availability& a) {
  AvailabilityView out{a.answer, a.rule, a.why, {}, {}};
  if (a.believed) out.believed_milli = a.believed->milli;
  if (a.age) out.age_ms = a.age->count();
  return out;
}

std::vector<FleetBranch> view_of(const std::vector<BranchReport>& fleet, std::int64_t now_ms) {
  std::vector<std::pair<Health, const BranchReport*>> sorted;
  for (const BranchReport& each : fleet) {
    if (!each.shop.branch.text.empty() || each.tally.conflicts() > 0)
      sorted.emplace_back(health_of(each, now_ms), &each);
  }
  std::ranges::stable_sort(sorted, std::ranges::greater{}, [](const auto& each) { return each.first.score; });
  std::vector<FleetBranch> out;
  for (const auto& [health, branch] : sorted) out.push_back(branch_view(*branch, health, now_ms));
  return out;
}

}  // namespace tillsync::api
