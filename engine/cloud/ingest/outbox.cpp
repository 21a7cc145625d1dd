#include "engine/cloud/ingest/outbox.hpp"

#include <algorithm>

#include "engine/cloud/ingest/meta_names.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/cloud_store.hpp"

namespace tillsync {

namespace {

std::uint64_t ops_in(const std::vector<OpRange>& ranges) {
  std::uint64_t sum = 0;
  for (const OpRange& each : ranges) sum += each.ops();
  return sum;
}

}  // namespace

// Of a record that went back to a backup, entries have the numbers of others that it has forgotten: the generation
// tells them apart.
std::string Outbox::key_of(const BranchKey& branch, const OutboxState& state) {
  const auto generation = txn_.meta(kGenerationMeta);
  return branch.tenant.substr(0, 16) + "/" + branch.branch.text + "/" +
         std::to_string(generation ? unpack<std::uint64_t>(*generation).value_or(0) : 0) + "/" +
         std::to_string(state.head) + "." + std::to_string(state.head_ops);
}

std::optional<Webhook> Outbox::webhook(const std::string& tenant) {
  const auto meta = txn_.meta(webhook_meta(tenant));
  return meta ? unpack<Webhook>(*meta) : std::nullopt;
}

void Outbox::set_webhook(const std::string& tenant, const Webhook& webhook, bool from_start) {
  std::vector<BranchKey> shops = txn_.shops();
  std::erase_if(shops, [&](const BranchKey& branch) { return branch.tenant != tenant; });
  txn_.lock(shops);  // who pushes meanwhile leaves its ops here or in what is read now
  const bool fresh = !this->webhook(tenant).has_value();
  txn_.put_meta(webhook_meta(tenant), pack(webhook));
  if (!fresh || !from_start) return;
  for (const BranchKey& branch : shops) {
    for (const auto& [chain, point] : txn_.chains(branch)) {
      if (point.seq > Seq{}) put(branch, {{chain.till, chain.incarnation, Seq{1}, point.seq}});
    }
  }
}

void Outbox::remove_webhook(const std::string& tenant) {
  std::vector<BranchKey> shops;
  for (const auto& [branch, state] : states(tenant)) shops.push_back(branch);
  txn_.lock(shops);
  for (const BranchKey& branch : shops) {
    OutboxState now = state(branch);  // its numbers go on, should there be another webhook one day
    for (; now.head < now.next; ++now.head) txn_.drop_meta(number_meta("outbox_entry", branch, now.head));
    for (const SetAside& each : aside(branch)) txn_.drop_meta(meta_of("set_aside", branch, each.key));
    now.ops_out = now.ops_in;
    now.head_ops = now.attempts = now.set_aside = 0;
    now.try_at_ms = now.failing_since_ms = 0;
    now.why.clear();
    keep(branch, now);
  }
  txn_.drop_meta(webhook_meta(tenant));
}

OutboxState Outbox::state(const BranchKey& branch) {
  const auto meta = txn_.meta(outbox_meta(branch));
  return meta ? unpack<OutboxState>(*meta).value_or(OutboxState{}) : OutboxState{};
}

std::vector<std::pair<BranchKey, OutboxState>> Outbox::states(const std::string& tenant) {
  std::vector<std::pair<BranchKey, OutboxState>> out;
  const std::string prefix = outbox_metas(tenant);
  txn_.metas(prefix, [&](const std::string& name, ByteView value) {
    if (auto state = unpack<OutboxState>(value)) out.push_back({{tenant, {name.substr(prefix.size())}}, *state});
  });
  return out;
}

void Outbox::keep(const BranchKey& branch, const OutboxState& state) {
  txn_.put_meta(outbox_meta(branch), pack(state));
}

void Outbox::put(const BranchKey& branch, const std::vector<OpRange>& ranges) {
  OutboxState now = state(branch);
  txn_.put_meta(number_meta("outbox_entry", branch, now.next++), pack(Entry{ranges}));
  now.ops_in += ops_in(ranges);
  keep(branch, now);
}

std::optional<Delivery> Outbox::next(const BranchKey& branch) {
  Delivery out{{}, {}, {}, state(branch)};
  if (out.state.head == out.state.next) return std::nullopt;
  const auto meta = txn_.meta(number_meta("outbox_entry", branch, out.state.head));
  const auto entry = meta ? unpack<Entry>(*meta) : std::nullopt;
  if (!entry) return std::nullopt;
  out.key = key_of(branch, out.state);
  std::uint64_t skip = out.state.head_ops;
  std::size_t bytes = 0;
  for (const OpRange& range : entry->ranges) {
    if (skip >= range.ops()) {
      skip -= range.ops();
      continue;
    }
    OpRange taken{range.till, range.incarnation, Seq{range.first.value + skip}, Seq{range.first.value + skip - 1}};
    skip = 0;
    bool full = false;
    txn_.ops(branch, {range.till, range.incarnation}, taken.first, [&](const CloudOp& op) {
      full = out.ops.size() >= kMaxDeliveryOps || (!out.ops.empty() && bytes + op.bytes.size() > kMaxDeliveryBytes);
      if (full || op.seq > range.last) return false;
      bytes += op.bytes.size();
      taken.last = op.seq;
      out.ops.push_back(op);
      return true;
    });
    if (taken.last >= taken.first) out.ranges.push_back(taken);
    if (full) break;
  }
  return out;
}

bool Outbox::at_front(const BranchKey& branch, const Delivery& delivery, OutboxState& state) {
  txn_.lock({branch});
  state = this->state(branch);
  return state.head < state.next && key_of(branch, state) == delivery.key;
}

void Outbox::advance(const BranchKey& branch, OutboxState& state, const Delivery& delivery) {
  const auto meta = txn_.meta(number_meta("outbox_entry", branch, state.head));
  const auto entry = meta ? unpack<Entry>(*meta) : std::nullopt;
  const std::uint64_t sent = delivery.ops.size();
  state.head_ops += sent;
  state.ops_out += sent;
  if (!entry || sent == 0 || state.head_ops >= ops_in(entry->ranges)) {
    txn_.drop_meta(number_meta("outbox_entry", branch, state.head++));
    state.head_ops = 0;
  }
  state.attempts = 0, state.try_at_ms = state.failing_since_ms = 0;
  state.why.clear();
}

void Outbox::delivered(const BranchKey& branch, const Delivery& delivery) {
  OutboxState state;
  if (!at_front(branch, delivery, state)) return;
  advance(branch, state, delivery);
  keep(branch, state);
}

void Outbox::failed(const BranchKey& branch, const Delivery& delivery, const std::string& why, std::int64_t now_ms,
                    std::int64_t try_at_ms) {
  OutboxState state;
  if (!at_front(branch, delivery, state)) return;
  if (state.attempts++ == 0) state.failing_since_ms = now_ms;
  state.try_at_ms = try_at_ms;
  state.why = why;
  keep(branch, state);
}

void Outbox::try_now(const BranchKey& branch) {
  txn_.lock({branch});
  OutboxState now = state(branch);
  now.try_at_ms = 0;
  keep(branch, now);
}

void Outbox::set_aside(const BranchKey& branch, const Delivery& delivery, const std::string& why, std::int64_t now_ms) {
  OutboxState state;
  if (!at_front(branch, delivery, state)) return;
  txn_.put_meta(meta_of("set_aside", branch, delivery.key), pack(SetAside{delivery.key, delivery.ranges, why, now_ms}));
  advance(branch, state, delivery);
  ++state.set_aside;
  keep(branch, state);
}

std::vector<SetAside> Outbox::aside(const BranchKey& branch) {
  std::vector<SetAside> out;
  txn_.metas(meta_of("set_aside", branch, ""), [&](const std::string&, ByteView value) {
    if (auto each = unpack<SetAside>(value)) out.push_back(std::move(*each));
  });
  return out;
}

std::uint64_t Outbox::replay(const BranchKey& branch, const std::string& key) {
  txn_.lock({branch});
  std::uint64_t count = 0;
  for (const SetAside& each : aside(branch)) {
    if (!key.empty() && each.key != key) continue;
    put(branch, each.ranges);
    txn_.drop_meta(meta_of("set_aside", branch, each.key));
    ++count;
  }
  OutboxState now = state(branch);
  now.set_aside -= std::min(now.set_aside, count);
  if (count > 0) keep(branch, now);
  return count;
}

}  // namespace tillsync
