// What a till records. An op is one immutable fact; a draft is what the till program says of it, a receipt what it gets
// back.
//
//   OpDraft sale{.kind = OpKind::sale, .key = "2024-06-01/till-1/17", .cashier = "ann"};
//   sale.document.lines.push_back({.sku = "bread", .quantity = Quantity::units(2), .unit_price = 350});
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tillsync/hash.hpp>
#include <tillsync/hlc.hpp>
#include <tillsync/ids.hpp>
#include <vector>

namespace tillsync {

// Numbers are the wire's; a kind that this release does not know is kept and passed on with its number.
enum class OpKind : std::uint16_t {
  sale = 1,
  refund = 2,
  resale = 3,
  restock = 4,
  transfer = 5,
  adjust = 6,
  count = 7,
  edit = 8,
  price = 9,
  resolution = 10,
  clock_correction = 11,
  custom = 12,
  incarnation = 13,  // written by the engine: the first op of a history that follows a fork
};

// Thousandths of a unit: goods are sold by weight too.
struct Quantity {
  std::int64_t milli{};
  auto operator<=>(const Quantity&) const = default;
  static constexpr Quantity units(std::int64_t n) { return Quantity{n * 1000}; }
};

struct Line {
  std::string sku;
  Quantity quantity;
  std::int64_t unit_price{};  // minor units of the document's currency
  std::string name;           // as printed on the receipt
  auto operator<=>(const Line&) const = default;
};

// What a sale, refund, restock, count ... is about. Quantities are positive as the kind means them ("refund 2");
// transfer and adjust carry a sign (out of this shop: negative).
struct Document {
  std::string invoice;
  std::string currency = "EUR";  // ISO 4217
  std::string reference;         // the key of the op that a refund or correction refers to
  std::string customer;
  std::string note;
  std::vector<Line> lines;
  std::map<std::string, std::string> fields;  // anything else; free-form, so checked for card numbers
  auto operator<=>(const Document&) const = default;
};

struct OpDraft {
  OpKind kind = OpKind::sale;
  std::string key;      // idempotency key, 1 to 200 bytes: the same key never takes effect twice
  std::string cashier;  // may be empty
  Document document;
  std::string custom_body = {};  // instead of the document: of an edit, and of kinds of your own
};

// Where the op of a forked history was recorded first; its receipt named this place.
struct Origin {
  Incarnation incarnation;
  Seq seq;
  Hlc hlc;
  auto operator<=>(const Origin&) const = default;
};

struct Op {
  BranchId branch;
  ChainId chain;
  Seq seq;
  Hlc hlc;
  Hash prev;  // hash of the op before it in the chain; zero for the first
  OpKind kind = OpKind::custom;
  std::string key;
  std::string cashier;
  Hash cashier_prev;  // hash of this cashier's previous op known to the till; zero when there is none
  std::optional<Origin> origin;
  Bytes body;  // MessagePack; a Document for the kinds that have one
};

struct Receipt {
  Incarnation incarnation;
  Seq seq;
  Hlc hlc;
  Hash hash;
};

// How safe an op is. Only the cloud's word lets a till forget it.
enum class Level : std::uint8_t { own_disk = 0, two_disks = 1, host = 2, cloud = 3 };

}  // namespace tillsync
