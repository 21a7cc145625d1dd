#include "engine/till/event_packets.hpp"

#include <algorithm>

#include "storage/stock_events.hpp"

namespace tillsync {

EventPackets::Packet& EventPackets::packet_of(const StockEvent& event) {
  const auto [it, unknown] = packets_.try_emplace({event.chain, event.seq.value / kOpsOfPacket});
  if (unknown) it->second.events = view_.event_packet(sku_, event.chain, event.seq);
  return it->second;
}

bool EventPackets::holds(const StockEvent& event) { return std::ranges::binary_search(packet_of(event).events, event); }

void EventPackets::add(const StockEvent& event) {
  Packet& packet = packet_of(event);
  packet.events.insert(std::ranges::upper_bound(packet.events, event), event);
  packet.changed = true;
}

void EventPackets::drop(const StockEvent& event) {
  Packet& packet = packet_of(event);
  const auto at = std::ranges::lower_bound(packet.events, event);
  packet.events.erase(at);
  packet.changed = true;
}

void EventPackets::write(StoreBatch& batch) const {
  for (const auto& [place, packet] : packets_) {
    if (packet.changed) batch.event_packet(sku_, place.first, Seq{place.second * kOpsOfPacket}, packet.events);
  }
}

}  // namespace tillsync
