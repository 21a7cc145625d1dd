// The disagreements that the cloud finds while it takes ops in, each with the sentence that support reads. An id is
// stable: the same disagreement found twice is one conflict.
#pragma once

#include <string>
#include <tillsync/op.hpp>

#include "conflicts/record.hpp"

namespace tillsync {

// A till pushed a history that differs from the one held after `held`.
Conflict forked_history(const ChainId& chain, Seq held, std::int64_t now_ms);

// A till noticed the fork itself and goes on under a new incarnation.
Conflict new_incarnation(const ChainId& chain, std::int64_t now_ms);

// One idempotency key names two ops of different content; the second has no effect until someone decides.
Conflict duplicate_key(ConflictSide first, ConflictSide second, std::int64_t now_ms);

// A till granted the lease to two in one term.
Conflict two_grants(const TillId& grantor, const TillId& first, const TillId& second, std::uint64_t term,
                    std::int64_t now_ms);

// More of a product had gone than there was. Suspected: a delivery or a count may be under way.
Conflict below_zero(const std::string& sku, const StockPlace& from, std::int64_t lowest,
                    std::vector<ConflictSide> sides, std::int64_t now_ms);

// A refund gave back more than the sale had, or names a sale that the cloud has not got (yet).
Conflict refund_above_sale(const std::string& sale, const std::string& sku, std::int64_t sold, std::int64_t refunded,
                           std::vector<ConflictSide> refunds, std::int64_t now_ms);
Conflict unknown_sale(const std::string& sale, ConflictSide refund, std::int64_t now_ms);

// Sold at another till within the clocks' error of a count: nobody can tell whether it was counted.
Conflict count_with_sales(const std::string& sku, const StockPlace& count, std::vector<ConflictSide> sales,
                          std::int64_t now_ms);

// Sold at a price that the cloud had already replaced.
Conflict stale_price(const std::string& sku, std::int64_t sold_at, std::int64_t price, std::int64_t since_ms,
                     ConflictSide sale, std::int64_t now_ms);

// A till's clock lies in the future, or said so late that what it sold was settled without it.
Conflict clock_suspect(const ChainId& chain, const StockPlace& from, const std::string& how, std::int64_t now_ms);

// Two edits of one field met, or an edit and a deletion (then `row.field` is empty).
Conflict edits_met(const RowField& row, ConflictSide there, ConflictSide edit, const std::string& why,
                   std::int64_t now_ms);

// Two people settled one conflict, each without knowing of the other.
Conflict two_resolutions(const Conflict& about, ConflictSide first, ConflictSide second);

std::string field_words(const RowField& row, ByteView value);  // a product's price as money

// An op that breaks a rule of the cloud: kept, without effect, until somebody decides.
Conflict dead_letter(ConflictSide op, const std::string& why, std::int64_t now_ms);

// What an op did, in words: to one product, or all in all.
ConflictSide side_about(const Op& op, const StockPlace& place, const std::optional<std::string>& sku = {});

}  // namespace tillsync
