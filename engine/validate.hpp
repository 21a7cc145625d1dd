// Whether a draft may be recorded. Refusals say what to change; a draft with a card number is never written anywhere.
#pragma once

#include <optional>
#include <tillsync/op.hpp>
#include <tillsync/result.hpp>

namespace tillsync {

constexpr std::size_t kMaxLines = 2000;
constexpr std::size_t kMaxKeyBytes = 200;
constexpr std::size_t kMaxSkuBytes = 128;
constexpr std::size_t kMaxTextBytes = 4000;
constexpr std::size_t kMaxFields = 100;

Result<void> validate(const OpDraft& draft);

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

// An op as the draft that it was; nothing when its body can't be read.
std::optional<OpDraft> draft_of(const Op& op);

// 13 to 19 digits, alone or in groups parted by a blank or a dash, that start like a payment network's and pass Luhn
// (ISO/IEC 7812-1).
bool holds_card_number(std::string_view text);

}  // namespace tillsync
