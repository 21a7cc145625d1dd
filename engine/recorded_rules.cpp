#include "engine/recorded_rules.hpp"

#include <algorithm>

#include "conflicts/choices.hpp"
#include "engine/validate.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/op_codec.hpp"
#include "storage/model/row_edit.hpp"

namespace tillsync {

namespace {

tl::unexpected<Error> recorded_fault(std::string message) { return fail(ErrorKind::invalid, std::move(message)); }

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

Result<void> check_recorded_text(std::string_view name, std::string_view text) {
  if (text.size() > kMaxTextBytes) {
    return recorded_fault("the field '" + std::string(name) + "' is longer than " + std::to_string(kMaxTextBytes) +
                          " bytes: shorten it");
  }
  return {};
}

Result<void> check_recorded_line(const Line& line) {
  if (line.sku.empty() || line.sku.size() > kMaxSkuBytes || has_control(line.sku)) {
    return recorded_fault("a line's sku must be 1 to 128 bytes without control characters");
  }
  if (line.quantity.milli > kMaxLineMilli || line.quantity.milli < -kMaxLineMilli) {
    return recorded_fault("the quantity of '" + line.sku + "' is beyond a billion units: check it");
  }
  return check_recorded_text("name", line.name);
}

Result<void> check_recorded_edit(ByteView body) {
  const auto edit = unpack<RowEdit>(body);
  if (!edit) return recorded_fault("an edit names a row, and what its fields were and become");
  const auto good = [](const std::string& name, std::size_t limit) {
    return !name.empty() && name.size() <= limit && !has_control(name);
  };
  if (!good(edit->kind, 64) || !good(edit->id, kMaxSkuBytes))
    return recorded_fault("an edit names a kind of row (up to 64 bytes) and a row (up to 128)");
  if (edit->kind == "conflict" || edit->kind == "stock" || edit->kind == "setting" || edit->kind == "group")
    return recorded_fault("rows of the kind '" + edit->kind + "' change by ops of their own, not by edits");
  if (edit->changes.size() > kMaxFields) return recorded_fault("an edit may change 100 fields at most");
  if (edit->changes.empty() && !edit->deletes) return recorded_fault("an edit that changes nothing: name a field");
  for (const auto& [field, change] : edit->changes) {
    for (const Binary* value : {&change.was, &change.becomes}) {
      Reader reader(*value);
      if (!good(field, 100) || (!value->empty() && (!reader.skip() || !reader.at_end())))
        return recorded_fault("the field '" + field.substr(0, 40) + "' of the edit is no name, or its value none");
    }
  }
  return {};
}

}  // namespace

Result<void> validate_recorded(const OpDraft& draft) {
  if (draft.key.empty() || draft.key.size() > kMaxKeyBytes || has_control(draft.key)) {
    return recorded_fault("an op needs an idempotency key of 1 to 200 bytes without control characters");
  }
  if (draft.kind == OpKind::incarnation || draft.kind == OpKind::clock_correction) {
    return recorded_fault("ops of this kind are written by tillsync itself");
  }
  if (draft.custom_body.size() > kMaxOpBytes / 2)
    return recorded_fault("the op's body is longer than 128 KiB: split it");
  const Document& d = draft.document;
  const bool settles = draft.kind == OpKind::resolution;
  if (has_document(draft.kind) && !draft.custom_body.empty())
    return recorded_fault("an op of this kind has lines and fields, and no body of its own");
  if (settles && !read_resolution(d, draft.cashier))
    return recorded_fault("a resolution names its conflict, the choice, who says so and why");
  if (draft.kind == OpKind::edit) {
    if (auto ok = check_recorded_edit(draft.custom_body); !ok) return ok;
  }
  if (moves_stock(draft.kind) && !settles && d.lines.empty())
    return recorded_fault("an op that moves stock needs at least one line");
  if (d.lines.size() > kMaxLines) return recorded_fault("an op may have 2,000 lines at most: split it");
  if (d.fields.size() > kMaxFields) return recorded_fault("an op may have 100 extra fields at most");
  if (d.currency.size() != 3) return recorded_fault("the currency must be an ISO 4217 code such as EUR");
  for (const Line& line : d.lines) {
    if (auto ok = check_recorded_line(line); !ok) return ok;
  }
  if (draft.cashier.size() > 100) return recorded_fault("a cashier's id may have 100 bytes at most");
  const std::pair<const char*, std::string_view> free_form[] = {
      {"cashier", draft.cashier}, {"customer", d.customer}, {"note", d.note}};
  for (const auto& [name, text] : free_form) {
    if (auto ok = check_recorded_text(name, text); !ok) return ok;
  }
  for (const auto& [name, value] : d.fields) {
    if (auto ok = check_recorded_text(name.substr(0, 40), value); !ok) return ok;
    if (auto ok = check_recorded_text("name of a field", name); !ok) return ok;
  }
  for (const std::string* text : {&d.invoice, &d.reference}) {
    if (auto ok = check_recorded_text("invoice or reference", *text); !ok) return ok;
  }
  return {};
}

}  // namespace tillsync
