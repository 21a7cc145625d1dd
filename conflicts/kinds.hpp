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

// What an op did, in words: to one product, or all in all.
ConflictSide side_about(const Op& op, const StockPlace& place, const std::optional<std::string>& sku = {});

}  // namespace tillsync
