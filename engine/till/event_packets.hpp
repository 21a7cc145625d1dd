// The stored events of one product, as a change goes over them: of each packet that it touches what will be in it.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "storage/lmdb/till_store.hpp"

namespace tillsync {

class EventPackets {
 public:
  EventPackets(TillView& view, const std::string& sku) : view_(view), sku_(sku) {}

  bool holds(const StockEvent& event);
  std::vector<StockEvent> up_to(const ChainId& chain, Seq last);  // all that it holds of this history
  void add(const StockEvent& event);                              // one that it does not hold
  void drop(const StockEvent& event);                             // one that it holds
  void write(StoreBatch& batch) const;

 private:
  struct Packet {
    std::vector<StockEvent> events;
    bool changed = false;
  };
  using Place = std::pair<ChainId, std::uint64_t>;
  Packet& packet_of(const StockEvent& event);

  TillView& view_;
  const std::string& sku_;
  std::map<Place, Packet> packets_;
  std::map<Place, Packet>::iterator last_ = packets_.end();  // neighbours are asked for one after the other
};

}  // namespace tillsync
