#include "engine/till/pending_overlay.hpp"

#include <algorithm>

#include "storage/base/pack.hpp"
#include "storage/model/op_codec.hpp"

namespace tillsync {

namespace {
constexpr char kWordsMeta[] = "own_words";
}

PendingOverlay::PendingOverlay(TillView view) {
  if (const auto meta = view.meta(kWordsMeta)) words_ = unpack<Packed<Word>>(*meta).value_or(Packed<Word>{}).all;
}

void PendingOverlay::add(const Op& op) {
  if (op.kind != OpKind::edit && op.kind != OpKind::resolution) return;
  Word word{{op.hlc, op.chain.till, op.chain.incarnation, op.seq}, op.cashier, {}, {}};
  if (op.kind == OpKind::edit) word.edit = unpack<RowEdit>(op.body);
  const auto document = op.kind == OpKind::resolution ? decode_document(op.body) : std::nullopt;
  if (document) word.resolution = read_resolution(*document, op.cashier);
  const bool known = std::ranges::any_of(words_, [&](const Word& w) { return w.place == word.place; });
  if (known || (!word.edit && !word.resolution)) return;
  words_.push_back(std::move(word));
  dirty_ = true;
}

void PendingOverlay::forget(const std::function<bool(Incarnation, Seq)>& taken) {
  if (std::erase_if(words_, [&](const Word& w) { return taken(w.place.incarnation, w.place.seq); }) > 0) dirty_ = true;
}

std::optional<Row> PendingOverlay::over(std::optional<Row> row, const std::string& kind, const std::string& id) const {
  for (const Word& word : words_) {
    if (!word.edit || word.edit->kind != kind || word.edit->id != id) continue;
    if (!row) row = Row{id, {}, false, join_fields({})};
    auto fields = split_fields(row->fields).value_or(RowFields{});
    for (const auto& [field, change] : word.edit->changes) {
      if (change.becomes.empty()) {
        fields.erase(field);
      } else {
        fields[field] = change.becomes;
      }
    }
    row->fields = join_fields(fields);
    row->deleted = word.edit->deletes;
  }
  return row;
}

void PendingOverlay::over(Conflict& conflict) const {
  for (const Word& word : words_) {
    const auto& said = word.resolution;
    if (!said || said->conflict != conflict.id || !check(*said, conflict)) continue;
    const bool reopens = said->choice == "reopen";
    conflict.state = reopens ? ConflictState::open : ConflictState::resolved;
    conflict.settlement.reset();
    if (!reopens) conflict.settlement = Settlement{said->choice, said->by, word.place, said->moves};
    conflict.history.push_back(
        {word.place.hlc.millis(), said->by, said->choice + ", here; the cloud has not heard of it yet", said->reason});
  }
}

void PendingOverlay::form(StoreBatch& batch) {
  if (dirty_) batch.meta(kWordsMeta, pack(Packed<Word>{words_}));
  dirty_ = false;
}

}  // namespace tillsync
