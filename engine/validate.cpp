#include "engine/validate.hpp"

#include <algorithm>
#include <cstdlib>

#include "conflicts/choices.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/op_codec.hpp"
#include "storage/model/row_edit.hpp"

namespace tillsync {

namespace {

tl::unexpected<Error> invalid(std::string message) { return fail(ErrorKind::invalid, std::move(message)); }

// A field of a draft, as a refusal names it. What people typed is shown in part, and only when it is text.
std::string shown(std::string_view name) {
  return is_text(name) ? "'" + std::string(name.substr(0, 40)) + "'" : "with an unreadable name";
}

enum class Cards { refused, allowed };  // allowed: a key, a sku or a number of a receipt may be a barcode

struct TextRule {
  const char* name;
  std::size_t most;
  TextKind kind = TextKind::line;
  Cards cards = Cards::refused;
};

Result<void> check(const TextRule& rule, std::string_view text) {
  if (text.size() > rule.most) {
    return invalid("the field '" + std::string(rule.name) + "' is longer than " + std::to_string(rule.most) +
                   " bytes: shorten it");
  }
  if (auto fault = fault_in_text(text, rule.kind))
    return invalid("the field '" + std::string(rule.name) + "' " + *fault + ": leave that out");
  if (rule.cards == Cards::refused && holds_card_number(text)) {
    return fail(ErrorKind::card_number, "the field '" + std::string(rule.name) +
                                            "' holds a payment card number: leave it out, card data may not be stored");
  }
  return {};
}

Result<void> check_sku(std::string_view sku) {
  if (sku.empty()) return invalid("a line has no sku: name the product");
  return check({"sku", kMaxSkuBytes, TextKind::line, Cards::allowed}, sku);
}

// Signs are the kind's: "refund 2" brings two back. Only a sale may hold lines of both (a returned deposit), and
// transfers and adjustments say by their sign which way the goods went.
Result<void> check_quantity(OpKind kind, const Line& line) {
  const std::int64_t milli = line.quantity.milli;
  const std::string of = " of '" + line.sku + "'";
  if (milli > kMaxLineMilli || milli < -kMaxLineMilli)
    return invalid("the quantity" + of + " is beyond a billion units: check it");
  if (!moves_stock(kind) || kind == OpKind::resolution) return {};
  if (kind == OpKind::count)
    return milli < 0 ? invalid("the count" + of + " is below zero: count what is there") : Result<void>();
  if (milli == 0) return invalid("the quantity" + of + " is zero: leave the line out");
  const bool signed_kind = kind == OpKind::sale || kind == OpKind::transfer || kind == OpKind::adjust;
  if (milli < 0 && !signed_kind)
    return invalid("the quantity" + of + " is below zero: the kind says which way it goes");
  return {};
}

Result<void> check_amount(const Line& line) {
  const std::int64_t milli = std::max<std::int64_t>(1000, std::llabs(line.quantity.milli));
  const std::int64_t most = kMaxAmount * 1000 / milli;  // of a unit's price; no product is formed that could overflow
  if (line.unit_price <= most && line.unit_price >= -most) return {};
  return invalid("the amount of '" + line.sku + "' is beyond what money there is: check price and quantity");
}

Result<void> check_line(OpKind kind, const Line& line) {
  if (auto ok = check_sku(line.sku); !ok) return ok;
  if (auto ok = check_quantity(kind, line); !ok) return ok;
  if (auto ok = check_amount(line); !ok) return ok;
  return check({"name", kMaxNameBytes}, line.name);
}

Result<void> check_edit(ByteView body) {
  const auto edit = unpack<RowEdit>(body);
  if (!edit) return invalid("an edit names a row, and what its fields were and become, in MessagePack's shortest form");
  if (auto ok = validate_row_kind(edit->kind); !ok) return ok;
  if (auto ok = validate_row_id(edit->id); !ok) return ok;
  if (edit->kind == "conflict" || edit->kind == "stock" || edit->kind == "setting" || edit->kind == "group")
    return invalid("rows of the kind '" + edit->kind + "' change by ops of their own, not by edits");
  if (edit->changes.size() > kMaxFields) return invalid("an edit may change 100 fields at most");
  if (edit->changes.empty() && !edit->deletes) return invalid("an edit that changes nothing: name a field");
  for (const auto& [field, change] : edit->changes) {
    if (auto ok = validate_field_name(field); !ok) return ok;
    for (const Binary* value : {&change.was, &change.becomes}) {
      Reader reader(*value);
      if (!value->empty() && (!reader.skip() || !reader.at_end()))
        return invalid("the value of the field " + shown(field) + " is not one MessagePack value in its shortest form");
    }
  }
  return {};
}

// An edit's values are text in MessagePack: what looks like a card number there is one, but for the row's own names.
Result<void> check_body(const OpDraft& draft) {
  if (draft.custom_body.size() > kMaxOpBytes / 2) return invalid("the op's body is longer than 128 KiB: split it");
  if (has_document(draft.kind) && !draft.custom_body.empty())
    return invalid("an op of this kind has lines and fields, and no body of its own");
  if (draft.kind == OpKind::edit) {
    if (auto ok = check_edit(draft.custom_body); !ok) return ok;
  }
  if (!holds_card_number(draft.custom_body)) return {};
  return fail(ErrorKind::card_number,
              "the field 'custom_body' holds a payment card number: leave it out, card data may not be stored");
}

Result<void> check_kind(OpKind kind) {
  if (kind == OpKind::incarnation || kind == OpKind::clock_correction)
    return invalid("ops of this kind are written by tillsync itself");
  const auto number = static_cast<std::uint16_t>(kind);
  if (number == 0 || number > kLastVendorKind)
    return invalid("there is no kind " + std::to_string(number) + ": kinds of your own have numbers from 14 to 999");
  return {};
}

bool is_currency(std::string_view code) {
  return code.size() == 3 && std::ranges::all_of(code, [](char c) { return c >= 'A' && c <= 'Z'; });
}

Result<void> check_document(const OpDraft& draft) {
  const Document& d = draft.document;
  const bool settles = draft.kind == OpKind::resolution;
  if (settles && !read_resolution(d, draft.cashier))
    return invalid("a resolution names its conflict, the choice, who says so and why");
  if (moves_stock(draft.kind) && !settles && d.lines.empty())
    return invalid("an op that moves stock needs at least one line");
  if (d.lines.size() > kMaxLines) return invalid("an op may have 2,000 lines at most: split it");
  if (d.fields.size() > kMaxFields) return invalid("an op may have 100 extra fields at most");
  if (!is_currency(d.currency)) return invalid("the currency must be an ISO 4217 code such as EUR");
  for (const Line& line : d.lines) {
    if (auto ok = check_line(draft.kind, line); !ok) return ok;
  }
  const std::pair<TextRule, std::string_view> texts[] = {
      {{"customer", kMaxNameBytes}, d.customer},
      {{"note", kMaxTextBytes, TextKind::notes}, d.note},
      {{"invoice", kMaxKeyBytes, TextKind::line, Cards::allowed}, d.invoice},
      {{"reference", settles ? kMaxTextBytes : kMaxKeyBytes, TextKind::line, Cards::allowed}, d.reference}};
  for (const auto& [rule, text] : texts) {
    if (auto ok = check(rule, text); !ok) return ok;
  }
  for (const auto& [name, value] : d.fields) {
    if (auto ok = validate_field_name(name); !ok) return ok;
    if (auto ok = check({name.c_str(), kMaxTextBytes, TextKind::line}, value); !ok) return ok;
  }
  return {};
}

}  // namespace

Result<void> validate(const OpDraft& draft) {
  if (draft.key.empty() || draft.key.size() > kMaxKeyBytes || !is_text(draft.key))
    return invalid("an op needs an idempotency key: 1 to 200 bytes of UTF-8 without control characters");
  if (auto ok = check_kind(draft.kind); !ok) return ok;
  if (auto ok = check_body(draft); !ok) return ok;
  if (auto ok = check({"cashier", kMaxCashierBytes}, draft.cashier); !ok) return ok;
  return check_document(draft);
}

Result<void> validate_row_kind(std::string_view kind) {
  if (kind.empty() || kind.size() > kMaxKindBytes || !is_text(kind))
    return invalid("a kind of rows has a name of 1 to 64 bytes of UTF-8 without control characters, such as product");
  return {};
}

Result<void> validate_row_id(std::string_view id) {
  if (id.empty() || id.size() > kMaxSkuBytes || !is_text(id))
    return invalid("a row has an id of 1 to 128 bytes of UTF-8 without control characters");
  return {};
}

Result<void> validate_field_name(std::string_view name) {
  if (name.empty()) return invalid("a field has no name");
  if (name.size() > kMaxFieldNameBytes || !is_text(name))
    return invalid("the name of the field " + shown(name) + " has more than 100 bytes, or is no plain text");
  return check({"name of a field", kMaxFieldNameBytes}, name);
}

Result<ValidDraft> ValidDraft::of(const OpDraft& draft) {
  if (auto valid = validate(draft); !valid) return tl::unexpected(valid.error());
  Op op;
  op.kind = draft.kind;
  op.key = draft.key;
  op.cashier = draft.cashier;
  op.body = body_of(draft);
  return ValidDraft(std::move(op));
}

Bytes body_of(const OpDraft& draft) { return draft.custom_body.empty() ? encode(draft.document) : draft.custom_body; }

std::optional<OpDraft> draft_of(const Op& op) {
  OpDraft draft{op.kind, op.key, op.cashier, {}, {}};
  if (!has_document(op.kind)) {
    draft.custom_body = op.body;
    return draft;
  }
  auto document = decode_document(op.body);
  if (!document) return std::nullopt;
  draft.document = std::move(*document);
  return draft;
}

}  // namespace tillsync
