// How stock events lie in the stores. The cloud keeps those that came together in a packet, in LMDB under the place of
// its last one; a till those of kOpsOfPacket ops of one history, so that what a row contains lies together.
#pragma once

#include "storage/base/pack.hpp"
#include "storage/model/records.hpp"
#include "storage/model/store_key.hpp"

namespace tillsync {

inline StoreKey& append_place(StoreKey& key, const StockPlace& place) {
  return key.number(place.hlc.value).chain({place.till, place.incarnation}).number(place.seq.value);
}

// An event in a packet of one product. Its history is a number where several share a packet.
struct PackedEvent {
  Hlc hlc;
  std::int64_t chain = 0;
  Seq seq;
  bool is_count = false;
  std::int64_t milli = 0;
  bool stocked = false;
  template <class A>
  void fields(A& a) {
    a(hlc, chain, seq, is_count, milli, stocked);
  }
  static PackedEvent from(const StockEvent& e, std::int64_t chain = 0) {
    return {e.hlc, chain, e.seq, e.is_count, e.milli, e.stocked};
  }
  StockEvent of(const ChainId& history) const { return {hlc, history, seq, is_count, milli, stocked}; }
};

constexpr std::uint64_t kOpsOfPacket = 256;

}  // namespace tillsync
