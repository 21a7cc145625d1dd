// The tables of a till's database: their names, their keys, and the values that are not records of their own.
// docs/file-formats.md describes them. For till_store.cpp, which writes them, and till_view.cpp, which reads them.
#pragma once

#include <vector>

#include "storage/base/pack.hpp"
#include "storage/model/records.hpp"
#include "storage/model/stock_events.hpp"
#include "storage/model/store_key.hpp"

namespace tillsync::till_tables {

inline constexpr char kState[] = "state", kVault[] = "vault", kStrays[] = "strays", kKeys[] = "keys",
                      kCashiers[] = "cashiers", kRows[] = "rows", kVersions[] = "row_versions", kFeeds[] = "feeds",
                      kChains[] = "chains", kRelay[] = "relay", kSignatures[] = "signatures",
                      kEvents[] = "event_packets", kStock[] = "stock", kNotes[] = "notes";

struct RowRecord {
  RowVersion version;
  std::uint64_t generation = 0;
  bool deleted = false;
  Binary fields_bytes;
  template <class A>
  void fields(A& a) {
    a(version, generation, deleted, fields_bytes);
  }
};

inline StoreKey vault_key(Incarnation incarnation, Seq seq) {
  return StoreKey().number(incarnation.value).number(seq.value);
}
inline StoreKey feed_key(const FeedKind& feed) { return StoreKey().text(feed.feed).text(feed.kind); }
// With the id: two rows have the same version while one is of a generation that is on its way out.
inline StoreKey version_key(const FeedKind& feed, RowVersion version, const std::string& id) {
  return feed_key(feed).number(version.value).last_text(id);
}
inline Bytes stray_key(const ChainId& chain, const ChainPoint& end) {
  return StoreKey().chain(chain).number(end.seq.value).bytes() + Bytes(end.hash.view());
}
inline StoreKey row_key(const FeedKind& feed, const std::string& id) { return feed_key(feed).last_text(id); }
inline StoreKey group_key(const std::string& sku, const ChainId& chain) { return StoreKey().text(sku).chain(chain); }
inline StoreKey packet_key(const std::string& sku, const ChainId& chain, Seq seq) {
  return group_key(sku, chain).number(seq.value / kOpsOfPacket);
}
inline std::vector<StockEvent> read_packet(const ChainId& chain, ByteView value) {
  const auto packet = unpack<std::vector<PackedEvent>>(value).value_or(std::vector<PackedEvent>{});
  std::vector<StockEvent> out;
  out.reserve(packet.size());
  for (const PackedEvent& each : packet) out.push_back(each.of(chain));
  return out;
}

}  // namespace tillsync::till_tables
