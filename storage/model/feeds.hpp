// The names of a branch's own feeds.
#pragma once

#include <tillsync/ids.hpp>
#include <tillsync/row.hpp>

namespace tillsync {

constexpr char kStockKind[] = "stock";
inline FeedKind setting_feed(const BranchId& branch) { return {"branch/" + branch.text, "setting"}; }
inline FeedKind stock_feed(const BranchId& branch) { return {"branch/" + branch.text, kStockKind}; }

}  // namespace tillsync
