// How stock events lie in LMDB. The cloud's keys end in the event's place, so that a product's lie in the order of the
// fold; a till's in chain, number and stamp, so that those that a row contains lie together.
#pragma once

#include "storage/pack.hpp"
#include "storage/records.hpp"
#include "storage/store_key.hpp"

namespace tillsync {

inline StoreKey& append_place(StoreKey& key, const StockPlace& place) {
  return key.number(place.hlc.value).chain({place.till, place.incarnation}).number(place.seq.value);
}

inline Bytes event_value(const StockEvent& event) {
  Bytes value;
  Writing w(value);
  w(event.is_count, event.milli, event.stocked);
  return value;
}

// `key` stands before the place.
inline StockEvent read_event(StoreKeyReader& key, ByteView value) {
  StockEvent event;
  event.hlc.value = key.number();
  event.chain = key.chain();
  event.seq.value = key.number();
  Reading r(value, Reading::Extra::ignore);
  r(event.is_count, event.milli, event.stocked);
  return event;
}

}  // namespace tillsync
