#include "conflicts/kinds.hpp"

#include <algorithm>

#include "storage/op_codec.hpp"
#include "storage/thousandths.hpp"

namespace tillsync {

namespace {

std::string words(const StockPlace& place) {
  return place.till.text + "/" + std::to_string(place.incarnation.value) + "/" + std::to_string(place.seq.value);
}

std::string words(const ChainId& chain, Seq seq) { return words(StockPlace{{}, chain.till, chain.incarnation, seq}); }

// a * b / c, of numbers that may come from outside.
std::int64_t scaled(std::int64_t a, std::int64_t b, std::int64_t c) {
  const double result = static_cast<double>(a) * static_cast<double>(b) / static_cast<double>(c);
  return static_cast<std::int64_t>(std::clamp(result, -9e15, 9e15));
}

Conflict opened(std::string id, std::string kind, std::string subject, std::string summary, std::int64_t now_ms) {
  Conflict c;
  c.id = std::move(id), c.kind = std::move(kind), c.subject = std::move(subject);
  c.summary = std::move(summary), c.at_ms = now_ms;
  return c;
}

}  // namespace

const char* name_of(ConflictState state) {
  constexpr const char* kNames[] = {"suspected", "open", "resolved", "closed"};
  return kNames[static_cast<std::size_t>(state)];
}

Conflict forked_history(const ChainId& chain, Seq held, std::int64_t now_ms) {
  return opened("fork/" + words(chain, held), "forked_history", chain.till.text,
                "till " + chain.till.text + " pushed a history that differs from the one held after op " +
                    std::to_string(held.value) + ": a restored backup or a cloned disk",
                now_ms);
}

Conflict new_incarnation(const ChainId& chain, std::int64_t now_ms) {
  return opened("fork/" + words(chain, {}), "forked_history", chain.till.text,
                "till " + chain.till.text +
                    " went on under a new history after a restored backup, a cloned disk or a damaged journal; both "
                    "histories are kept",
                now_ms);
}

Conflict duplicate_key(ConflictSide first, ConflictSide second, std::int64_t now_ms) {
  Conflict c = opened("key/" + words(second.place), "duplicate_key", second.key,
                      "the key '" + second.key + "' names two different ops: " + words(first.place) + " and " +
                          words(second.place) + "; the second has no effect until someone decides",
                      now_ms);
  c.money = second.money;
  c.sides = {std::move(first), std::move(second)};
  return c;
}

Conflict two_grants(const TillId& grantor, const TillId& first, const TillId& second, std::uint64_t term,
                    std::int64_t now_ms) {
  return opened("two_grants/" + grantor.text + "/" + std::to_string(term), "two_grants", grantor.text,
                grantor.text + " granted the lease to both " + first.text + " and " + second.text + " in term " +
                    std::to_string(term) +
                    ": it was copied, restored from a backup, or lies; take it out of the roster",
                now_ms);
}

Conflict below_zero(const std::string& sku, const StockPlace& from, std::int64_t lowest,
                    std::vector<ConflictSide> sides, std::int64_t now_ms) {
  Conflict c =
      opened("below_zero/" + sku + "/" + words(from), "below_zero", sku,
             "the stock of " + sku + " went down to " + thousandths(lowest) + ": more was sold than there was", now_ms);
  c.state = ConflictState::suspected;
  c.place = from;
  for (const ConflictSide& side : sides) {
    if (side.place == from && side.milli != 0) c.money = scaled(side.money, -lowest, side.milli);
  }
  c.sides = std::move(sides);
  return c;
}

ConflictSide side_about(const Op& op, const StockPlace& place, const std::optional<std::string>& sku) {
  constexpr const char* kVerbs[] = {"?",        "sold",    "took back", "sold again", "restocked",  "moved",
                                    "adjusted", "counted", "edited",    "priced",     "resolved by"};
  ConflictSide side{place, op.key, op.cashier, {}, 0, 0};
  const auto number = static_cast<std::size_t>(op.kind);
  const auto document = decode_document(op.body);
  if (!document || number >= std::size(kVerbs)) return side;
  for (const Line& line : document->lines) {
    if (sku && line.sku != *sku) continue;
    side.milli += line.quantity.milli;
    side.money += scaled(line.quantity.milli, line.unit_price, 1000);
  }
  side.what = std::string(kVerbs[number]) + " " + thousandths(side.milli);
  return side;
}

}  // namespace tillsync
