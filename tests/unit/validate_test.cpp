// What may come in by any door, and what must never be refused because it was recorded before these rules.
#include "engine/validate.hpp"

#include <doctest/doctest.h>

#include <functional>

#include "engine/ledger/moves.hpp"
#include "engine/recorded_rules.hpp"
#include "storage/base/pack.hpp"
#include "storage/base/random.hpp"
#include "storage/model/row_edit.hpp"

using namespace tillsync;

namespace {

OpDraft draft_of_kind(OpKind kind, std::int64_t milli = 1000) {
  OpDraft draft{.kind = kind, .key = "k", .cashier = "ann", .document = {}};
  draft.document.lines.push_back({"bread", Quantity{milli}, 350, "Bread"});
  return draft;
}

OpDraft sale_with(const std::function<void(OpDraft&)>& change) {
  OpDraft draft = draft_of_kind(OpKind::sale);
  change(draft);
  return draft;
}

std::string refusal(const OpDraft& draft) {
  const auto valid = validate(draft);
  return valid ? "" : valid.error().message;
}

// Digits with the check digit that Luhn asks for.
std::string with_check_digit(std::string digits) {
  for (char c = '0'; c <= '9'; ++c) {
    int sum = 0;
    bool twice = false;
    const std::string all = digits + c;
    for (auto it = all.rbegin(); it != all.rend(); ++it, twice = !twice) {
      const int d = (*it - '0') * (twice ? 2 : 1);
      sum += d > 9 ? d - 9 : d;
    }
    if (sum % 10 == 0) return all;
  }
  return digits;
}

std::string random_digits(Random& random, std::string prefix, std::size_t length) {
  while (prefix.size() < length) prefix += static_cast<char>('0' + random.below(10));
  return prefix;
}

}  // namespace

TEST_CASE("text is UTF-8 on one line: bytes that are none, control characters and turned directions are named") {
  for (const char* good : {"", "Bread", "Crème brûlée", "日本語", "👨‍👩‍👧 family", "a\xc2\xa0z"}) {
    CAPTURE(good);
    CHECK_FALSE(fault_in_text(good));
  }
  for (const char* bad :
       {"\xff", "caf\xe9", "\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xe0\x80\xaf"}) {
    CHECK(fault_in_text(bad) == "is no UTF-8");
  }
  for (const char* bad : {"a\nb", "a\tb", "\x1b[31m", "\x7f",
                          "\xc2\x9b"
                          "31m"}) {
    CHECK(fault_in_text(bad) == "holds a control character");
  }
  CHECK(fault_in_text(std::string_view("a\0b", 3)) == "holds a control character");
  CHECK(fault_in_text("Total \xe2\x80\xae"
                      "99.1") == "holds a character that turns the direction of reading");
  CHECK_FALSE(fault_in_text("two\nlines\tand a tab", TextKind::notes));
  CHECK(fault_in_text("\x1b[2J", TextKind::notes) == "holds a control character");
}

TEST_CASE("a draft with text that is none, or too long, is refused with the name of its field") {
  CHECK(refusal(sale_with([](auto& d) { d.key = "caf\xe9"; })).find("idempotency key") != std::string::npos);
  CHECK(refusal(sale_with([](auto& d) { d.cashier = "\x1b[31mann"; })).find("'cashier'") != std::string::npos);
  CHECK(refusal(sale_with([](auto& d) {
          d.document.lines[0].sku =
              "br\xff"
              "ead";
        })).find("'sku'") != std::string::npos);
  CHECK(refusal(sale_with([](auto& d) { d.document.lines[0].name = "a\nb"; })).find("'name'") != std::string::npos);
  CHECK(refusal(sale_with([](auto& d) { d.document.reference.assign(450, 'r'); })).find("'reference'") !=
        std::string::npos);
  CHECK(refusal(sale_with([](auto& d) { d.document.lines[0].sku.assign(600, 's'); })).find("'sku'") !=
        std::string::npos);
  CHECK(refusal(sale_with([](auto& d) { d.document.fields["table\x01"] = "4"; })).find("unreadable name") !=
        std::string::npos);
  CHECK(validate(sale_with([](auto& d) { d.document.note = "first line\nsecond line"; })));
}

TEST_CASE("quantities have the sign of their kind; a sale may take a deposit back") {
  for (OpKind kind : {OpKind::refund, OpKind::resale, OpKind::restock}) {
    CHECK(refusal(draft_of_kind(kind, -1000)).find("below zero") != std::string::npos);
    CHECK(refusal(draft_of_kind(kind, 0)).find("is zero") != std::string::npos);
  }
  CHECK(validate(draft_of_kind(OpKind::sale, -1000)));
  CHECK(refusal(draft_of_kind(OpKind::sale, 0)).find("is zero") != std::string::npos);
  CHECK(validate(draft_of_kind(OpKind::transfer, -1000)));
  CHECK(validate(draft_of_kind(OpKind::adjust, -1000)));
  CHECK(validate(draft_of_kind(OpKind::count, 0)));
  CHECK(refusal(draft_of_kind(OpKind::count, -5000)).find("below zero") != std::string::npos);
  CHECK_FALSE(validate(sale_with([](auto& d) { d.document.lines.clear(); })));
}

TEST_CASE("numbers have a range, and no amount can overflow") {
  CHECK(refusal(sale_with([](auto& d) { d.document.lines[0].unit_price = INT64_MIN; })).find("amount") !=
        std::string::npos);
  CHECK_FALSE(validate(sale_with([](auto& d) { d.document.lines[0].quantity.milli = INT64_MIN; })));
  CHECK_FALSE(validate(sale_with([](auto& d) {
    d.document.lines[0].quantity.milli = kMaxLineMilli;
    d.document.lines[0].unit_price = 1'000'000'000;
  })));
  for (const char* currency : {"123", "eur", "EURO", "",
                               "E\xff"
                               "R"})
    CHECK(refusal(sale_with([&](auto& d) { d.document.currency = currency; })).find("ISO 4217") != std::string::npos);
}

TEST_CASE("kinds of one's own are 14 to 999") {
  for (std::uint16_t number : {0, 11, 13, 1000, 65535}) {
    OpDraft draft{.kind = static_cast<OpKind>(number), .key = "k", .cashier = {}, .document = {}};
    draft.custom_body = "x";
    CAPTURE(number);
    CHECK_FALSE(validate(draft));
  }
  for (std::uint16_t number : {14, 500, 999}) {
    OpDraft draft{.kind = static_cast<OpKind>(number), .key = "k", .cashier = {}, .document = {}};
    draft.custom_body = "\xa1x";
    CHECK(validate(draft));
  }
}

TEST_CASE("what an older release took with a receipt is judged by its rules, for ever") {
  const std::vector<OpDraft> odd = {
      sale_with([](auto& d) { d.document.reference.assign(450, 'r'); }),
      sale_with([](auto& d) { d.document.note = "caf\xe9"; }),
      sale_with([](auto& d) { d.cashier = "\x1b[31mann"; }),
      sale_with([](auto& d) { d.document.currency = "123"; }),
      sale_with([](auto& d) { d.document.lines[0].unit_price = INT64_MIN; }),
      draft_of_kind(OpKind::count, -5000),
      draft_of_kind(OpKind::refund, -1000),
      draft_of_kind(OpKind::sale, 0),
  };
  for (const OpDraft& draft : odd) {
    CHECK_FALSE(validate(draft));
    CHECK(validate_recorded(draft));
  }
  CHECK_FALSE(validate_recorded(sale_with([](auto& d) { d.document.lines[0].sku.assign(600, 's'); })));
}

TEST_CASE("numbers of receipts, goods and phones are no cards; the networks' numbers are") {
  for (const char* card : {"4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005", "6011000990139424",
                           "3530111333300000", "30569309025904", "6200000000000005"}) {
    CAPTURE(card);
    CHECK(holds_card_number(std::string("paid by ") + card));
  }
  for (const char* none : {"Phone IMEI 356938035643809", "4131007809634", "6340041234560001", "4006381333931",
                           "tel 030 1234567", "4222222222222"}) {
    CAPTURE(none);
    CHECK_FALSE(holds_card_number(none));
  }
}

TEST_CASE("how often a number of another kind is taken for a card's, and a card's missed") {
  Random random(7);
  constexpr int kEach = 20'000;
  const auto share = [&](const std::function<std::string()>& make) {
    int refused = 0;
    for (int i = 0; i < kEach; ++i) refused += holds_card_number(make()) ? 1 : 0;
    return refused * 100.0 / kEach;
  };
  // Never: no network has 13 digits, nor 15 that begin with 35 or 86.
  CHECK(share([&] { return random_digits(random, "4", 13); }) == 0);
  CHECK(share([&] { return with_check_digit(random_digits(random, "35", 14)); }) == 0);
  // A number of 16 random digits, as of an order: one in ten passes Luhn, 27 % begin as networks' do.
  const double orders = share([&] { return random_digits(random, "", 16); });
  CHECK(orders > 1);
  CHECK(orders < 3);
  // Cards are not missed, whatever their groups.
  for (const auto& [prefix, length] : std::vector<std::pair<const char*, std::size_t>>{{"4", 16},
                                                                                       {"51", 16},
                                                                                       {"2221", 16},
                                                                                       {"34", 15},
                                                                                       {"6011", 16},
                                                                                       {"62", 17},
                                                                                       {"3528", 16},
                                                                                       {"36", 14},
                                                                                       {"6759", 18}}) {
    CHECK(share([&] { return with_check_digit(random_digits(random, prefix, length - 1)); }) == 100);
  }
}

TEST_CASE("an op with a sku that is none moves no stock, whoever recorded it") {
  std::vector<Line> lines = {{std::string(600, 's'), Quantity::units(1), 0, ""}, {"bread", Quantity::units(2), 0, ""}};
  const auto moves = stock_moves(OpKind::sale, lines);
  REQUIRE(moves.size() == 1);
  CHECK(moves[0].first == "bread");
}
