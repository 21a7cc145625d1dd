// Cutting rows into bounded pages: the same for the cloud and for a host.
#pragma once

#include <functional>

#include "engine/wire/messages.hpp"

namespace tillsync {

constexpr std::size_t kMaxPageBytes = 384 * 1024;
constexpr std::size_t kMaxPageRows = 6000;
constexpr std::size_t kMaxPagesBytes = 512 * 1024;  // of one answer

using RowVisitor = std::function<bool(const Row&)>;

// The next page of one feed and kind for a reader at `position`; `newest` is the sender's own end of it. `rows_after`
// visits rows in version order. A reader of another generation, ahead of the sender, or behind the horizon
// of its tombstones, gets a snapshot from the beginning.
Page make_page(const RowPosition& position, const FeedRecord& newest,
               const std::function<void(RowVersion, const RowVisitor&)>& rows_after);

bool is_current(const RowPosition& position, const FeedRecord& newest);

// The reader's position for a feed and kind, or the beginning for one that it never heard of.
RowPosition position_of(const Pull& pull, const FeedKind& feed);

}  // namespace tillsync
