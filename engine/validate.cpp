#include "engine/validate.hpp"

#include <algorithm>

#include "conflicts/choices.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/op_codec.hpp"
#include "storage/model/row_edit.hpp"

namespace tillsync {

namespace {

tl::unexpected<Error> invalid(std::string message) { return fail(ErrorKind::invalid, std::move(message)); }

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool luhn(std::string_view digits) {
  int sum = 0;
  bool twice = false;
  for (auto it = digits.rbegin(); it != digits.rend(); ++it, twice = !twice) {
    int d = *it - '0';
    if (twice && (d *= 2) > 9) d -= 9;
    sum += d;
  }
  return sum % 10 == 0;
}

bool network_prefix(std::string_view digits) {
  auto first = [&](std::size_t n) { return std::stoi(std::string(digits.substr(0, n))); };
  auto within = [&](std::size_t n, int low, int high) { return first(n) >= low && first(n) <= high; };
  return digits[0] == '4' || within(2, 51, 55) || within(4, 2221, 2720) || first(2) == 34 || first(2) == 37 ||
         first(4) == 6011 || within(3, 644, 649) || first(2) == 65 || first(2) == 62 || within(4, 3528, 3589) ||
         within(3, 300, 305) || first(2) == 36 || first(2) == 38 || first(2) == 50 || within(2, 56, 58) ||
         first(2) == 63 || first(2) == 67 || within(4, 2200, 2204);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Most texts are long, and hold no number: without a branch a byte, and by blocks, which a compiler makes one step.
std::size_t count_digits(std::string_view text) {
  constexpr std::size_t kBlock = 16;
  std::size_t digits = 0;
  for (; text.size() >= kBlock; text.remove_prefix(kBlock)) {
    std::uint8_t here = 0;
    for (std::size_t i = 0; i < kBlock; ++i)
      here = static_cast<std::uint8_t>(here + (static_cast<unsigned char>(text[i] - '0') < 10 ? 1 : 0));
    digits += here;
  }
  for (const char c : text) digits += static_cast<unsigned char>(c - '0') < 10;
  return digits;
}

bool any_run_is_card(const std::vector<std::string>& groups) {
  for (std::size_t from = 0; from < groups.size(); ++from) {
    std::string digits;
    for (std::size_t to = from; to < groups.size() && digits.size() < 19; ++to) {
      digits += groups[to];
      if (digits.size() >= 13 && digits.size() <= 19 && network_prefix(digits) && luhn(digits)) return true;
    }
  }
  return false;
}

tl::unexpected<Error> card_refusal(std::string_view field) {
  return fail(ErrorKind::card_number, "the field '" + std::string(field) +
                                          "' holds a payment card number: leave it out, card data may not be stored");
}

Result<void> check_text(std::string_view name, std::string_view text, bool free_form) {
  if (text.size() > kMaxTextBytes) {
    return invalid("the field '" + std::string(name) + "' is longer than " + std::to_string(kMaxTextBytes) +
                   " bytes: shorten it");
  }
  if (free_form && holds_card_number(text)) return card_refusal(name);
  return {};
}

Result<void> check_line(const Line& line) {
  if (line.sku.empty() || line.sku.size() > kMaxSkuBytes || has_control(line.sku)) {
    return invalid("a line's sku must be 1 to 128 bytes without control characters");
  }
  constexpr std::int64_t kLimit = 1'000'000'000'000;  // a billion units in one line is a typing error
  if (line.quantity.milli > kLimit || line.quantity.milli < -kLimit) {
    return invalid("the quantity of '" + line.sku + "' is beyond a billion units: check it");
  }
  return check_text("name", line.name, true);
}

Result<void> check_edit(ByteView body) {
  const auto edit = unpack<RowEdit>(body);
  if (!edit) return invalid("an edit names a row, and what its fields were and become");
  const auto good = [](const std::string& name, std::size_t limit) {
    return !name.empty() && name.size() <= limit && !has_control(name);
  };
  if (!good(edit->kind, 64) || !good(edit->id, kMaxSkuBytes))
    return invalid("an edit names a kind of row (up to 64 bytes) and a row (up to 128)");
  if (edit->kind == "conflict" || edit->kind == "stock" || edit->kind == "setting" || edit->kind == "group")
    return invalid("rows of the kind '" + edit->kind + "' change by ops of their own, not by edits");
  if (edit->changes.size() > kMaxFields) return invalid("an edit may change 100 fields at most");
  if (edit->changes.empty() && !edit->deletes) return invalid("an edit that changes nothing: name a field");
  for (const auto& [field, change] : edit->changes) {
    for (const Binary* value : {&change.was, &change.becomes}) {
      Reader reader(*value);
      if (!good(field, 100) || (!value->empty() && (!reader.skip() || !reader.at_end())))
        return invalid("the field '" + field.substr(0, 40) + "' of the edit is no name, or its value none");
    }
  }
  return {};
}

}  // namespace

bool holds_card_number(std::string_view text) {
  constexpr std::size_t kShortest = 13;
  if (text.size() < kShortest || count_digits(text) < kShortest) return false;
  std::vector<std::string> groups;  // digits parted by single blanks or dashes; any run of them may be a card number
  for (std::size_t at = 0; at < text.size();) {
    if (!is_digit(text[at])) {
      ++at;
      continue;
    }
    groups.assign(1, {});
    for (; at < text.size(); ++at) {
      if (is_digit(text[at])) {
        groups.back() += text[at];
      } else if ((text[at] == ' ' || text[at] == '-') && at + 1 < text.size() && is_digit(text[at + 1])) {
        groups.emplace_back();
      } else {
        break;
      }
    }
    if (any_run_is_card(groups)) return true;
  }
  return false;
}

Result<void> validate(const OpDraft& draft) {
  if (draft.key.empty() || draft.key.size() > kMaxKeyBytes || has_control(draft.key)) {
    return invalid("an op needs an idempotency key of 1 to 200 bytes without control characters");
  }
  if (draft.kind == OpKind::incarnation || draft.kind == OpKind::clock_correction) {
    return invalid("ops of this kind are written by tillsync itself");
  }
  if (draft.custom_body.size() > kMaxOpBytes / 2) return invalid("the op's body is longer than 128 KiB: split it");
  const Document& d = draft.document;
  const bool settles = draft.kind == OpKind::resolution;
  if (has_document(draft.kind) && !draft.custom_body.empty())
    return invalid("an op of this kind has lines and fields, and no body of its own");
  if (settles && !read_resolution(d, draft.cashier))
    return invalid("a resolution names its conflict, the choice, who says so and why");
  if (draft.kind == OpKind::edit) {
    if (auto ok = check_edit(draft.custom_body); !ok) return ok;
  }
  if (moves_stock(draft.kind) && !settles && d.lines.empty())
    return invalid("an op that moves stock needs at least one line");
  if (d.lines.size() > kMaxLines) return invalid("an op may have 2,000 lines at most: split it");
  if (d.fields.size() > kMaxFields) return invalid("an op may have 100 extra fields at most");
  if (d.currency.size() != 3) return invalid("the currency must be an ISO 4217 code such as EUR");
  for (const Line& line : d.lines) {
    if (auto ok = check_line(line); !ok) return ok;
  }
  if (draft.cashier.size() > 100) return invalid("a cashier's id may have 100 bytes at most");
  const std::pair<const char*, std::string_view> free_form[] = {
      {"cashier", draft.cashier}, {"customer", d.customer}, {"note", d.note}};
  for (const auto& [name, text] : free_form) {
    if (auto ok = check_text(name, text, true); !ok) return ok;
  }
  if (holds_card_number(draft.custom_body)) return card_refusal("custom_body");
  for (const auto& [name, value] : d.fields) {
    const bool exempt = name == "sku" || name == "barcode" || name == "invoice" || name == "key";
    if (auto ok = check_text(name.substr(0, 40), value, !exempt); !ok) return ok;
    if (auto ok = check_text("name of a field", name, true); !ok) return ok;
  }
  for (const std::string* text : {&d.invoice, &d.reference}) {
    if (auto ok = check_text("invoice or reference", *text, false); !ok) return ok;
  }
  return {};
}

Result<ValidDraft> ValidDraft::of(const OpDraft& draft) {
  if (auto valid = validate(draft); !valid) return tl::unexpected(valid.error());
  Op op;
  op.kind = draft.kind;
  op.key = draft.key;
  op.cashier = draft.cashier;
  op.body = draft.custom_body.empty() ? encode(draft.document) : draft.custom_body;
  return ValidDraft(std::move(op));
}

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
