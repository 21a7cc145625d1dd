#include "engine/till/event_packets.hpp"

#include <algorithm>
#include <tuple>

#include "storage/model/stock_events.hpp"

namespace tillsync {

EventPackets::Packet& EventPackets::packet_of(const StockEvent& event) {
  const std::uint64_t number = event.seq.value / kOpsOfPacket;
  if (last_ != packets_.end() && last_->first.second == number && last_->first.first == event.chain)
    return last_->second;
  bool unknown = false;
  std::tie(last_, unknown) = packets_.try_emplace({event.chain, number});
  if (unknown) last_->second.events = view_.event_packet(sku_, event.chain, event.seq);
  return last_->second;
}

std::vector<StockEvent> EventPackets::up_to(const ChainId& chain, Seq last) {
  std::vector<StockEvent> found;
  view_.event_packets(sku_, chain, {}, last, [&](Seq first, std::vector<StockEvent> events) {
    for (const StockEvent& event : events) {
      if (event.seq <= last) found.push_back(event);
    }
    packets_.try_emplace({chain, first.value / kOpsOfPacket}, Packet{std::move(events)});
  });
  return found;
}

// Nearly all come behind all that is there.
bool EventPackets::holds(const StockEvent& event) {
  const std::vector<StockEvent>& events = packet_of(event).events;
  return !events.empty() && !(events.back() < event) && std::ranges::binary_search(events, event);
}

void EventPackets::add(const StockEvent& event) {
  auto& [events, changed] = packet_of(event);
  const bool last = events.empty() || events.back() < event;
  events.insert(last ? events.end() : std::ranges::upper_bound(events, event), event);
  changed = true;
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
