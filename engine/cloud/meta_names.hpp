// Names of what the cloud keeps beside ops and rows (CloudTxn::meta).
#pragma once

#include <string>

#include <tillsync/row.hpp>

#include "storage/model/branch_key.hpp"

namespace tillsync {

// That the record went back in time (reset_cloud.hpp): CloudReset, to be signed.
inline constexpr char kCloudResetMeta[] = "began_anew";

inline std::string meta_of(const char* what, const BranchKey& shop) {
  return std::string(what) + "/" + shop.tenant + "/" + shop.branch.text;
}
inline std::string meta_of(const char* what, const BranchKey& shop, const std::string& of) {
  return meta_of(what, shop) + "/" + of;
}

inline std::string corrections_meta(const BranchKey& shop, const TillId& till) {
  return meta_of("corrections", shop, till.text);
}
inline std::string frontier_meta(const BranchKey& shop) { return meta_of("frontier", shop); }
inline std::string ledger_meta(const BranchKey& shop, const std::string& sku) { return meta_of("ledger", shop, sku); }
inline constexpr char kLeaseNotes[] = "lease/";
inline std::string lease_meta(const BranchKey& shop) { return meta_of("lease", shop); }
inline std::string refunds_meta(const BranchKey& shop, const std::string& sale) {
  return meta_of("refunds", shop, sale);
}
// What the fleet's report sums up (fleet.hpp); of a tenant's shared rows: without a branch.
inline constexpr char kTallyNotes[] = "tally/", kFrontierNotes[] = "frontier/";
inline std::string tally_meta(const BranchKey& shop) { return meta_of("tally", shop); }
// Accepted ops on their way to headquarters (outbox.hpp).
inline constexpr char kWebhookMetas[] = "webhook/";
inline std::string webhook_meta(const std::string& tenant) { return kWebhookMetas + tenant; }
inline std::string outbox_metas(const std::string& tenant) { return "outbox/" + tenant + "/"; }
inline std::string outbox_meta(const BranchKey& shop) { return meta_of("outbox", shop); }
inline std::string number_meta(const char* what, const BranchKey& shop, std::uint64_t n) {
  const std::string digits = std::to_string(n);
  return meta_of(what, shop, std::string(20 - digits.size(), '0') + digits);
}
inline std::string courier_meta(const std::string& tenant) { return "courier/" + tenant; }
// The keys of people and programs that are no tills (operators.hpp).
inline constexpr char kOperatorNotes[] = "operator/";
inline std::string operator_meta(const std::string& id) { return kOperatorNotes + id; }

inline std::string suspected_meta(const BranchKey& shop) { return meta_of("suspected", shop); }
inline std::string unknown_sales_meta(const BranchKey& shop) { return meta_of("unknown_sales", shop, ""); }

// Of one row, by its tenant: who made its fields what they are, and what it cost before.
inline std::string row_meta(const char* what, const BranchKey& shop, const FeedKind& feed, const std::string& id) {
  return std::string(what) + "/" + shop.tenant + "/" + feed.feed + "/" + feed.kind + "/" + id;
}
inline std::string authors_meta(const BranchKey& shop, const FeedKind& feed, const std::string& id) {
  return row_meta("authors", shop, feed, id);
}
inline std::string prices_meta(const BranchKey& shop, const FeedKind& feed, const std::string& id) {
  return row_meta("prices", shop, feed, id);
}

}  // namespace tillsync
