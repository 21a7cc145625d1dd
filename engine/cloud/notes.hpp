// Names of what the cloud keeps beside ops and rows (CloudTxn::note).
#pragma once

#include <string>

#include "storage/cloud_store.hpp"

namespace tillsync {

// That the record went back in time (begin_anew.hpp): BeganAnew, to be signed.
inline constexpr char kBeganAnewNote[] = "began_anew";

inline std::string note_of(const char* what, const Shop& shop) {
  return std::string(what) + "/" + shop.tenant + "/" + shop.branch.text;
}
inline std::string note_of(const char* what, const Shop& shop, const std::string& of) {
  return note_of(what, shop) + "/" + of;
}

inline std::string corrections_note(const Shop& shop, const TillId& till) {
  return note_of("corrections", shop, till.text);
}
inline std::string frontier_note(const Shop& shop) { return note_of("frontier", shop); }
inline std::string ledger_note(const Shop& shop, const std::string& sku) { return note_of("ledger", shop, sku); }
inline constexpr char kLeaseNotes[] = "lease/";
inline std::string lease_note(const Shop& shop) { return note_of("lease", shop); }
inline std::string refunds_note(const Shop& shop, const std::string& sale) { return note_of("refunds", shop, sale); }
// What the fleet's report sums up (fleet.hpp); of a tenant's shared rows: without a branch.
inline constexpr char kTallyNotes[] = "tally/", kFrontierNotes[] = "frontier/";
inline std::string tally_note(const Shop& shop) { return note_of("tally", shop); }
// Accepted ops on their way to headquarters (outbox.hpp).
inline constexpr char kWebhookNotes[] = "webhook/";
inline std::string webhook_note(const std::string& tenant) { return kWebhookNotes + tenant; }
inline std::string outbox_notes(const std::string& tenant) { return "outbox/" + tenant + "/"; }
inline std::string outbox_note(const Shop& shop) { return note_of("outbox", shop); }
inline std::string number_note(const char* what, const Shop& shop, std::uint64_t n) {
  const std::string digits = std::to_string(n);
  return note_of(what, shop, std::string(20 - digits.size(), '0') + digits);
}
inline std::string courier_note(const std::string& tenant) { return "courier/" + tenant; }
// The keys of people and programs that are no tills (operators.hpp).
inline constexpr char kOperatorNotes[] = "operator/";
inline std::string operator_note(const std::string& id) { return kOperatorNotes + id; }

inline std::string suspected_note(const Shop& shop) { return note_of("suspected", shop); }
inline std::string unknown_sales_note(const Shop& shop) { return note_of("unknown_sales", shop, ""); }

// Of one row, by its tenant: who made its fields what they are, and what it cost before.
inline std::string row_note(const char* what, const Shop& shop, const FeedKind& feed, const std::string& id) {
  return std::string(what) + "/" + shop.tenant + "/" + feed.feed + "/" + feed.kind + "/" + id;
}
inline std::string authors_note(const Shop& shop, const FeedKind& feed, const std::string& id) {
  return row_note("authors", shop, feed, id);
}
inline std::string prices_note(const Shop& shop, const FeedKind& feed, const std::string& id) {
  return row_note("prices", shop, feed, id);
}

}  // namespace tillsync
