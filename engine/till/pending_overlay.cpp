#include "engine/till/pending_overlay.hpp"

#include <algorithm>

#include "storage/base/pack.hpp"
#include "storage/model/op_codec.hpp"

namespace tillsync {

namespace {
constexpr char kEntriesMeta[] = "own_words";
}

PendingOverlay::PendingOverlay(const TillContext& context, const HistoryAcks& acks) : acks_(acks) {
  const auto meta = context.store.view().meta(kEntriesMeta);
  if (meta) entries_ = unpack<Packed<Entry>>(*meta).value_or(Packed<Entry>{}).all;
}

void PendingOverlay::add(const Op& op) {
  if (op.kind != OpKind::edit && op.kind != OpKind::resolution) return;
  Entry entry{{op.hlc, op.chain.till, op.chain.incarnation, op.seq}, op.cashier, {}, {}};
  if (op.kind == OpKind::edit) entry.edit = unpack<RowEdit>(op.body);
  const auto document = op.kind == OpKind::resolution ? decode_document(op.body) : std::nullopt;
  if (document) entry.resolution = read_resolution(*document, op.cashier);
  const bool known = std::ranges::any_of(entries_, [&](const Entry& e) { return e.place == entry.place; });
  if (known || (!entry.edit && !entry.resolution)) return;
  entries_.push_back(std::move(entry));
  dirty_ = true;
}

std::optional<Row> PendingOverlay::over(std::optional<Row> row, const std::string& kind, const std::string& id) const {
  for (const Entry& entry : entries_) {
    if (!entry.edit || entry.edit->kind != kind || entry.edit->id != id) continue;
    if (!row) row = Row{id, {}, false, join_fields({})};
    auto fields = split_fields(row->fields).value_or(RowFields{});
    for (const auto& [field, change] : entry.edit->changes) {
      if (change.becomes.empty()) {
        fields.erase(field);
      } else {
        fields[field] = change.becomes;
      }
    }
    row->fields = join_fields(fields);
    row->deleted = entry.edit->deletes;
  }
  return row;
}

void PendingOverlay::over(Conflict& conflict) const {
  for (const Entry& entry : entries_) {
    const auto& said = entry.resolution;
    if (!said || said->conflict != conflict.id || !check(*said, conflict)) continue;
    const bool reopens = said->choice == "reopen";
    conflict.state = reopens ? ConflictState::open : ConflictState::resolved;
    conflict.settlement.reset();
    if (!reopens) conflict.settlement = Settlement{said->choice, said->by, entry.place, said->moves};
    conflict.history.push_back(
        {entry.place.hlc.millis(), said->by, said->choice + ", here; the cloud has not heard of it yet", said->reason});
  }
}

void PendingOverlay::write(const Moment&, Checkpoint& into) {
  const auto taken = [&](const Entry& e) { return acks_.in_cloud(e.place.incarnation, e.place.seq); };
  if (std::erase_if(entries_, taken) > 0) dirty_ = true;
  if (dirty_) into.batch.meta(kEntriesMeta, pack(Packed<Entry>{entries_}));
  dirty_ = false;
}

}  // namespace tillsync
