#include "conflicts/kinds.hpp"

#include <algorithm>

#include "conflicts/choices.hpp"
#include "storage/base/thousandths.hpp"
#include "storage/model/op_codec.hpp"
#include "storage/model/row_edit.hpp"

namespace tillsync {

namespace {

std::string words(const ChainId& chain, Seq seq) { return words(StockPlace{{}, chain.till, chain.incarnation, seq}); }

// For ids, which stay short whatever the name.
std::string short_of(const std::string& text) { return blake2b(text).short_hex(); }

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

Conflict refund_above_sale(const std::string& sale, const std::string& sku, std::int64_t sold, std::int64_t refunded,
                           std::vector<ConflictSide> refunds, std::int64_t now_ms) {
  Conflict c = opened("refund/" + short_of(sale + '\n' + sku), "refund_above_sale", sku,
                      thousandths(refunded) + " of " + sku + " were taken back of the sale '" + sale + "', which had " +
                          thousandths(sold),
                      now_ms);
  for (const ConflictSide& side : refunds) c.money += side.money;
  c.money = scaled(c.money, refunded - sold, std::max<std::int64_t>(refunded, 1));
  c.state = ConflictState::suspected;
  if (!refunds.empty()) c.place = refunds.back().place;
  c.sides = std::move(refunds);
  return c;
}

Conflict unknown_sale(const std::string& sale, ConflictSide refund, std::int64_t now_ms) {
  Conflict c = opened("unknown_sale/" + words(refund.place), "unknown_sale", sale,
                      "a refund names the sale '" + sale + "', of which nothing is known", now_ms);
  c.state = ConflictState::suspected;
  c.place = refund.place;
  c.money = refund.money;
  c.sides = {std::move(refund)};
  return c;
}

Conflict count_with_sales(const std::string& sku, const StockPlace& count, std::vector<ConflictSide> sales,
                          std::int64_t now_ms) {
  Conflict c =
      opened("count/" + short_of(sku) + "/" + words(count), "count_with_sales", sku,
             sku + " was counted at " + count.till.text + " while it was sold elsewhere, within two seconds", now_ms);
  c.state = ConflictState::suspected;
  c.place = count;
  for (const ConflictSide& side : sales) c.money += side.money;
  c.sides = std::move(sales);
  return c;
}

Conflict stale_price(const std::string& sku, std::int64_t sold_at, std::int64_t price, std::int64_t since_ms,
                     ConflictSide sale, std::int64_t now_ms) {
  Conflict c =
      opened("price/" + short_of(sku + '\n' + std::to_string(since_ms)) + "/" +
                 words(StockPlace{{}, sale.place.till, sale.place.incarnation, {}}),
             "stale_price", sku,
             sku + " was sold at " + money(sold_at) + ", a price that had been replaced by " + money(price), now_ms);
  c.money = scaled(sale.milli, price - sold_at, 1000);
  c.sides = {std::move(sale)};
  return c;
}

Conflict clock_suspect(const ChainId& chain, const StockPlace& from, const std::string& how, std::int64_t now_ms) {
  Conflict c = opened("clock/" + words(chain, {}), "clock_suspect", chain.till.text,
                      "the clock of " + chain.till.text + " is suspect: " + how, now_ms);
  c.state = ConflictState::suspected;
  c.place = from;
  return c;
}

Conflict edits_met(const RowField& row, ConflictSide there, ConflictSide edit, const std::string& why,
                   std::int64_t now_ms) {
  const std::string subject = row.kind + " " + row.id + (row.field.empty() ? "" : " " + row.field);
  Conflict c = opened(
      "row/" + short_of(subject) + "/" + words(edit.place), row.field.empty() ? "edit_delete" : "edit_edit", subject,
      row.field.empty() ? subject + ": " + there.what + ", and " + edit.what
                        : subject + ": " + field_words(row, there.value) + " or " + field_words(row, edit.value) + "?",
      now_ms);
  c.rule = why;
  c.row = row;
  c.sides = {std::move(there), std::move(edit)};
  return c;
}

Conflict two_resolutions(const Conflict& about, ConflictSide first, ConflictSide second) {
  Conflict c = opened((about.row ? "row/" : "") + ("word/" + words(second.place)), "two_resolutions", about.id,
                      "two people settled the same conflict differently: " + about.summary, 0);
  c.money = about.money;
  c.row = about.row;
  c.sides = {std::move(first), std::move(second)};
  return c;
}

Conflict dead_letter(ConflictSide op, const std::string& why, std::int64_t now_ms) {
  Conflict c = opened("dead/" + words(op.place), "dead_letter", op.key, "the cloud does not take it: " + why, now_ms);
  c.rule = why;
  c.money = op.money;
  c.sides = {std::move(op)};
  return c;
}

std::string field_words(const RowField& row, ByteView value) {
  const auto number = number_in(value);
  return row.kind == "product" && row.field == "price" && number ? money(*number) : value_words(value);
}

ConflictSide side_about(const Op& op, const StockPlace& place, const std::optional<std::string>& sku) {
  constexpr const char* kVerbs[] = {"?",        "sold",    "took back", "sold again", "restocked",  "moved",
                                    "adjusted", "counted", "edited",    "priced",     "resolved by"};
  ConflictSide side;
  side.place = place, side.key = op.key, side.cashier = op.cashier;
  const auto number = static_cast<std::size_t>(op.kind);
  const auto document = decode_document(op.body);
  if (!document || number >= std::size(kVerbs)) return side;
  for (const Line& line : document->lines) {
    if (sku && line.sku != *sku) continue;
    side.milli += line.quantity.milli;
    side.money += scaled(line.quantity.milli, line.unit_price, 1000);
  }
  side.what = std::string(kVerbs[number]) + " " + thousandths(side.milli);
  if (op.kind == OpKind::resolution) {
    const auto choice = document->fields.find("choice");
    side.what = (choice == document->fields.end() ? "?" : choice->second) + ": " + document->note;
  }
  return side;
}

}  // namespace tillsync
