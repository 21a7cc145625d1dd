// How stock events lie in the stores. The cloud keeps them in packets, in LMDB under the place of their last one; a
// till one by one, by chain, number and stamp, so that those that a row contains lie together.
#pragma once

#include "storage/pack.hpp"
#include "storage/records.hpp"
#include "storage/store_key.hpp"

namespace tillsync {

inline StoreKey& append_place(StoreKey& key, const StockPlace& place) {
  return key.number(place.hlc.value).chain({place.till, place.incarnation}).number(place.seq.value);
}

// Events of one product that came together share a value; their histories are numbered.
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
};

inline Bytes event_value(const StockEvent& event) {
  Bytes value;
  Writing w(value);
  w(event.is_count, event.milli, event.stocked);
  return value;
}

}  // namespace tillsync
