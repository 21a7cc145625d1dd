// Whether a draft may be recorded: the rules of every door by which something new comes in (record(), edit(), imports,
// the control socket, people at the cloud). A refusal names the field and says what to do; a draft with a card number
// is never written anywhere. What the cloud would refuse, these rules refuse first. What an older release has recorded
// is judged by engine/recorded_rules.hpp instead, for ever.
#pragma once

#include <optional>
#include <tillsync/op.hpp>
#include <tillsync/result.hpp>

#include "engine/card_numbers.hpp"
#include "storage/base/text_rules.hpp"

namespace tillsync {

constexpr std::size_t kMaxLines = 2000;
constexpr std::size_t kMaxKeyBytes = 200;   // of a reference as well, which names a key, and of an invoice's number
constexpr std::size_t kMaxNameBytes = 400;  // a customer, what a receipt calls a product
constexpr std::size_t kMaxCashierBytes = 100, kMaxFieldNameBytes = 100, kMaxKindBytes = 64;
constexpr std::size_t kMaxTextBytes = 4000;  // notes, free fields
constexpr std::size_t kMaxFields = 100;
constexpr std::int64_t kMaxLineMilli = 1'000'000'000'000;   // a billion units in one line is a typing error
constexpr std::int64_t kMaxAmount = 1'000'000'000'000'000;  // of a line, in minor units: sums of 2,000 lines fit int64
constexpr std::uint16_t kLastVendorKind = 999;              // 14 to 999 are a till vendor's own

Result<void> validate(const OpDraft& draft);

// The names of a row: its kind, its id, and those of its fields. Errors: invalid, naming which.
Result<void> validate_row_kind(std::string_view kind);
Result<void> validate_row_id(std::string_view id);
Result<void> validate_field_name(std::string_view name);

// A draft that may be recorded, as the op that it will be once it is numbered. Any thread can make one.
class ValidDraft {
 public:
  static Result<ValidDraft> of(const OpDraft& draft);
  const Op& op() const& { return op_; }
  Op op() && { return std::move(op_); }

 private:
  explicit ValidDraft(Op op) : op_(std::move(op)) {}
  Op op_;
};

// The document of a draft, or its own body, as the body of its op.
Bytes body_of(const OpDraft& draft);

// An op as the draft that it was; nothing when its body can't be read.
std::optional<OpDraft> draft_of(const Op& op);

}  // namespace tillsync
