// The disagreements that the cloud finds while it takes ops in, each with the sentence that support reads. An id is
// stable: the same disagreement found twice is one conflict.
#pragma once

#include <string>

#include "storage/cloud_store.hpp"

namespace tillsync {

// A till pushed a history that differs from the one held after `held`.
CloudConflict forked_history(const ChainId& chain, Seq held, std::int64_t now_ms);

// A till noticed the fork itself and goes on under a new incarnation.
CloudConflict new_incarnation(const ChainId& chain, std::int64_t now_ms);

// One idempotency key names two ops of different content; the second has no effect until someone decides.
CloudConflict duplicate_key(const std::string& key, const ChainId& first, Seq first_seq, const ChainId& second,
                            Seq second_seq, std::int64_t now_ms);

}  // namespace tillsync
