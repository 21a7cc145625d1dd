// The stored events of one product, as a change goes over them: of each packet that it touches what will be in it.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "storage/till_store.hpp"

namespace tillsync {

class EventPackets {
 public:
  EventPackets(TillView& view, const std::string& sku) : view_(view), sku_(sku) {}

  bool holds(const StockEvent& event);
  void add(const StockEvent& event);   // one that it does not hold
  void drop(const StockEvent& event);  // one that it holds
  void write(StoreBatch& batch) const;

 private:
  struct Packet {
    std::vector<StockEvent> events;
    bool changed = false;
  };
  Packet& packet_of(const StockEvent& event);

  TillView& view_;
  const std::string& sku_;
  std::map<std::pair<ChainId, std::uint64_t>, Packet> packets_;
};

}  // namespace tillsync
