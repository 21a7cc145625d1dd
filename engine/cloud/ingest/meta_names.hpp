// Names of what the cloud keeps beside ops and rows (CloudTxn::meta).
#pragma once

#include <string>

#include <tillsync/row.hpp>

#include "storage/model/branch_key.hpp"

namespace tillsync {

// That the record went back in time (reset_cloud.hpp): CloudReset, to be signed.
inline constexpr char kCloudResetMeta[] = "began_anew";

inline std::string meta_of(const char* what, const BranchKey& branch) {
  return std::string(what) + "/" + branch.tenant + "/" + branch.branch.text;
}
inline std::string meta_of(const char* what, const BranchKey& branch, const std::string& of) {
  return meta_of(what, branch) + "/" + of;
}

inline std::string corrections_meta(const BranchKey& branch, const TillId& till) {
  return meta_of("corrections", branch, till.text);
}
inline std::string frontier_meta(const BranchKey& branch) { return meta_of("frontier", branch); }
inline std::string ledger_meta(const BranchKey& branch, const std::string& sku) {
  return meta_of("ledger", branch, sku);
}
inline constexpr char kLeaseNotes[] = "lease/";
inline std::string lease_meta(const BranchKey& branch) { return meta_of("lease", branch); }
inline std::string refunds_meta(const BranchKey& branch, const std::string& sale) {
  return meta_of("refunds", branch, sale);
}
// What the fleet's report sums up (fleet.hpp); of a tenant's shared rows: without a branch.
inline constexpr char kTallyNotes[] = "tally/", kFrontierNotes[] = "frontier/";
inline std::string tally_meta(const BranchKey& branch) { return meta_of("tally", branch); }
// Accepted ops on their way to headquarters (outbox.hpp).
inline constexpr char kWebhookMetas[] = "webhook/";
inline std::string webhook_meta(const std::string& tenant) { return kWebhookMetas + tenant; }
inline std::string outbox_metas(const std::string& tenant) { return "outbox/" + tenant + "/"; }
inline std::string outbox_meta(const BranchKey& branch) { return meta_of("outbox", branch); }
inline std::string number_meta(const char* what, const BranchKey& branch, std::uint64_t n) {
  const std::string digits = std::to_string(n);
  return meta_of(what, branch, std::string(20 - digits.size(), '0') + digits);
}
inline std::string courier_meta(const std::string& tenant) { return "courier/" + tenant; }
// The keys of people and programs that are no tills (operators.hpp).
inline constexpr char kOperatorNotes[] = "operator/";
inline std::string operator_meta(const std::string& id) { return kOperatorNotes + id; }

inline std::string suspected_meta(const BranchKey& branch) { return meta_of("suspected", branch); }
inline std::string unknown_sales_meta(const BranchKey& branch) { return meta_of("unknown_sales", branch, ""); }

// Of one row, by its tenant: who made its fields what they are, and what it cost before.
inline std::string row_meta(const char* what, const BranchKey& branch, const FeedKind& feed, const std::string& id) {
  return std::string(what) + "/" + branch.tenant + "/" + feed.feed + "/" + feed.kind + "/" + id;
}
inline std::string authors_meta(const BranchKey& branch, const FeedKind& feed, const std::string& id) {
  return row_meta("authors", branch, feed, id);
}
inline std::string prices_meta(const BranchKey& branch, const FeedKind& feed, const std::string& id) {
  return row_meta("prices", branch, feed, id);
}

}  // namespace tillsync
