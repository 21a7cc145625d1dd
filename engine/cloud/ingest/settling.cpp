#include "engine/cloud/ingest/settling.hpp"

#include "conflicts/kinds.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/op_codec.hpp"
#include "storage/model/row_edit.hpp"

namespace tillsync {

OpEffect Settling::take(const Op& op, const Document& document, const StockPlace& place, std::string& why) {
  const auto said = read_resolution(document, op.cashier);
  if (!said) {
    why = "a resolution names its conflict, the choice, who says so and why";
    return OpEffect::dead;
  }
  auto conflict = book_.find(said->conflict);
  if (!conflict) {  // a cloud that was restored from a backup will find it again
    conflict.emplace();
    conflict->id = said->conflict;
    if (said->choice != "reopen") {
      conflict->state = ConflictState::resolved;
      conflict->settlement = Settlement{said->choice, said->by, place, said->moves};
    }
    book_.add_step(*conflict, said->by, said->choice, said->reason);
    book_.put(*conflict);
    return OpEffect::applied;
  }
  if (auto ok = check(*said, *conflict); !ok) {
    if (ok.error().kind == ErrorKind::refused) {
      ConflictSide side = side_about(op, place);
      side.moves = said->moves;
      side.value = Binary(op.body);  // to be carried out after all
      return too_late(*conflict, *said, place, side);
    }
    why = ok.error().message;
    return OpEffect::dead;
  }
  carry_out(*conflict, *said, place);
  return OpEffect::applied;
}

OpEffect Settling::too_late(Conflict& conflict, const Resolution& said, const StockPlace& place,
                            const ConflictSide& side) {
  const auto& settled = conflict.settlement;
  if (settled && settled->choice == said.choice && settled->moves == said.moves) {
    book_.add_step(conflict, said.by, said.choice + ", at " + place.till.text + " at the same time", said.reason);
    book_.put(conflict);
    return OpEffect::duplicate;
  }
  ConflictSide first;
  first.what = "closed by itself";
  if (settled) first = book_.side_of(settled->op);
  if (settled) first.moves = settled->moves;
  book_.raise(two_resolutions(conflict, std::move(first), side));
  return OpEffect::conflict;
}

void Settling::carry_out(Conflict& conflict, const Resolution& said, const StockPlace& place) {
  if (said.choice == "reopen") {
    conflict.state = ConflictState::open;
    conflict.settlement.reset();
    book_.add_step(conflict, said.by, "opened again; what had been changed is taken back", said.reason);
    return book_.settled(conflict);
  }
  if (said.choice == "replay") {
    if (const auto why = replay_(conflict.sides.front().place)) {
      book_.add_step(conflict, said.by, "replayed, and refused again: " + *why, said.reason);
      return book_.put(conflict);
    }
  }
  if (conflict.row && said.choice == "take-2" && conflict.sides.size() > 1) take_row(conflict, conflict.sides[1]);
  if (conflict.kind == "two_resolutions" && said.choice == "second") take_other_word(conflict);
  conflict.state = ConflictState::resolved;
  conflict.settlement = Settlement{said.choice, said.by, place, said.moves};
  book_.add_step(conflict, said.by, said.choice, said.reason);
  book_.settled(conflict);
}

void Settling::take_row(const Conflict& conflict, const ConflictSide& side) {
  const RowAuthor author{side.place, side.key, side.cashier, {}};
  if (!conflict.row->field.empty()) return void(rows_.set(*conflict.row, side.value, author));
  const auto edit = unpack<RowEdit>(side.value);
  if (!edit) return;
  if (edit->deletes) {
    const FeedKind feed{conflict.row->feed, edit->kind};
    const auto row = rows_.current(feed, edit->id).value_or(CurrentRow{});
    return void(rows_.put({feed, edit->id, true, join_fields(row.fields)}, author));
  }
  for (const auto& [field, change] : edit->changes)
    rows_.set({conflict.row->feed, edit->kind, edit->id, field}, change.becomes, author);
}

// Of two words on one conflict, the one that came later counts instead. Its stock comes with the op that says so.
void Settling::take_other_word(const Conflict& conflict) {
  const ConflictSide& side = conflict.sides.at(1);
  const auto document = decode_document(side.value);
  const auto said = document ? read_resolution(*document, side.cashier) : std::nullopt;
  auto about = book_.find(conflict.subject);
  if (!said || !about) return;
  carry_out(*about, *said, side.place);
}

}  // namespace tillsync
