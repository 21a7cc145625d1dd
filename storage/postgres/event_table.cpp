#include "storage/postgres/event_table.hpp"

#include <algorithm>
#include <iterator>

#include "storage/model/stock_events.hpp"
#include "storage/postgres/indexed.hpp"
#include "storage/postgres/numbers.hpp"

namespace tillsync::postgres {

namespace {

constexpr Statement kPutEvents{"put_events",
                               "INSERT INTO stock_events (branch, sku, hlc, events) SELECT unnest($1::bigint[]), "
                               "unnest($2::bytea[]), unnest($3::bigint[]), unnest($4::bytea[])"};
constexpr Statement kPackets{"packets",
                             "SELECT hlc, id, events FROM stock_events WHERE branch = $1 AND sku = $2 AND hlc >= $3"};
constexpr Statement kChangePacket{"change_packet",
                                  "UPDATE stock_events SET events = $5 WHERE branch = $1 AND sku = $2 AND hlc = $3 AND "
                                  "id = $4"};
constexpr Statement kEvents{"events",
                            "SELECT w.n, e.events FROM (SELECT unnest($1::bigint[]) AS branch, unnest($2::bytea[]) AS "
                            "sku, unnest($3::bigint[]) AS hlc, unnest($4::bigint[]) AS n) w JOIN stock_events e ON "
                            "e.branch = w.branch AND e.sku = w.sku AND e.hlc >= w.hlc"};

}  // namespace

void EventTable::expect(const std::vector<CloudReads::EventsOf>& wanted) {
  if (wanted.empty()) return;
  flush();
  Column branches(kBigint), skus(kBytes), from(kBigint), numbers(kBigint);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    branches.add(branches_.id(wanted[i].shop));
    skus.add(ByteView(indexed(wanted[i].sku)));
    from.add(sorted(wanted[i].after.hlc.value));
    numbers.add(i);
    known_[{wanted[i].shop, wanted[i].sku}] = {wanted[i].after, {}};
  }
  const auto rows = session_.run(kEvents, Values().add(branches).add(skus).add(from).add(numbers));
  for (std::size_t i = 0; rows && i < rows->size(); ++i) {
    const auto& of = wanted[rows->number(i, 0)];
    auto packet = open(of.shop, rows->bytes(i, 1));
    std::ranges::move(packet, std::back_inserter(known_[{of.shop, of.sku}].all));
  }
}

std::vector<StockEvent> EventTable::read_after(const BranchKey& branch, const std::string& sku,
                                               const StockPlace& after) {
  flush();
  const auto known = known_.find({branch, sku});
  if (known == known_.end() || known->second.after > after) expect({{branch, sku, after}});
  std::vector<StockEvent> out = known_[{branch, sku}].all;
  std::erase_if(out, [&](const StockEvent& e) { return e.place() <= after; });
  std::ranges::sort(out, {}, &StockEvent::place);
  return out;
}

void EventTable::put(const BranchKey& branch, const std::string& sku, const std::vector<StockEvent>& events) {
  if (events.empty()) return;
  Packed<PackedEvent> packet;
  for (const StockEvent& e : events)
    packet.all.push_back(PackedEvent::from(e, branches_.chain_to_change(branch, e.chain).id));
  const Hlc last = std::ranges::max(packet.all, {}, &PackedEvent::hlc).hlc;
  new_.branches.add(branches_.id(branch));
  new_.skus.add(ByteView(indexed(sku)));
  new_.hlcs.add(sorted(last.value));
  new_.events.add(ByteView(pack(packet)));
  known_.clear();
}

// From whatever packet it lies in, whose stamp stays, as a bound.
void EventTable::drop(const BranchKey& branch, const std::string& sku, const StockPlace& place) {
  const std::int64_t branch_id = branches_.id_to_change(branch);
  const std::int64_t chain = branches_.chain_to_change(branch, {place.till, place.incarnation}).id;
  flush();
  known_.clear();
  const auto rows =
      session_.run(kPackets, Values().add(branch_id).add(ByteView(indexed(sku))).add(sorted(place.hlc.value)));
  for (std::size_t i = 0; rows && i < rows->size(); ++i) {
    auto packet = unpack<Packed<PackedEvent>>(rows->bytes(i, 2)).value_or(Packed<PackedEvent>{});
    const auto gone = std::erase_if(
        packet.all, [&](const PackedEvent& e) { return e.hlc == place.hlc && e.chain == chain && e.seq == place.seq; });
    if (gone == 0) continue;
    session_.send(kChangePacket, Values()
                                     .add(branch_id)
                                     .add(ByteView(indexed(sku)))
                                     .add(rows->bigint(i, 0))
                                     .add(rows->bigint(i, 1))
                                     .add(ByteView(pack(packet))));
    return;
  }
}

void EventTable::flush() {
  const Packets p = std::exchange(new_, {});
  if (p.hlcs.size() > 0) session_.send(kPutEvents, Values().add(p.branches).add(p.skus).add(p.hlcs).add(p.events));
}

std::vector<StockEvent> EventTable::open(const BranchKey& branch, ByteView packet) {
  std::vector<StockEvent> out;
  const auto packed = unpack<Packed<PackedEvent>>(packet);
  if (!packed) return session_.bug("a packet of stock events can't be read"), out;
  std::map<std::int64_t, ChainId> names;
  for (const auto& [id, chain] : branches_.chains(branch)) names[chain.id] = id;
  for (const PackedEvent& e : packed->all) out.push_back(e.of(names[e.chain]));
  return out;
}

}  // namespace tillsync::postgres
