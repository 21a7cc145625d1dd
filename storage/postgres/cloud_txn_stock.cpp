#include <algorithm>

#include "storage/model/stock_events.hpp"
#include "storage/postgres/cloud_txn.hpp"
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

std::vector<StockEvent> PostgresCloudTxn::open_packet(const BranchKey& shop, ByteView packet) {
  std::vector<StockEvent> out;
  const auto packed = unpack<Packed<PackedEvent>>(packet);
  if (!packed) return bug("a packet of stock events can't be read"), out;
  std::map<std::int64_t, ChainId> names;
  for (const auto& [id, entry] : chains_of(shop)) names[entry.id] = id;
  for (const PackedEvent& e : packed->all) out.push_back(e.of(names[e.chain]));
  return out;
}

std::vector<StockEvent> PostgresCloudTxn::events_after(const BranchKey& of, const std::string& sku,
                                                       const StockPlace& after) {
  flush_events();
  const auto known = events_.find({of, sku});
  if (known == events_.end() || known->second.after > after) expect_events({{of, sku, after}});
  std::vector<StockEvent> out = events_[{of, sku}].all;
  std::erase_if(out, [&](const StockEvent& e) { return e.place() <= after; });
  std::ranges::sort(out, {}, &StockEvent::place);
  return out;
}

void PostgresCloudTxn::expect_events(const std::vector<CloudReads::EventsOf>& wanted) {
  if (wanted.empty()) return;
  flush_events();
  Column branches(Column::Type::bigint), skus(Column::Type::bytes), from(Column::Type::bigint),
      numbers(Column::Type::bigint);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    branches.add(shop(wanted[i].shop).id);
    skus.add(ByteView(indexed(wanted[i].sku)));
    from.add(sorted(wanted[i].after.hlc.value));
    numbers.add(static_cast<std::int64_t>(i));
    events_[{wanted[i].shop, wanted[i].sku}] = {wanted[i].after, {}};
  }
  const auto rows = run(kEvents, Values().add(branches).add(skus).add(from).add(numbers));
  for (std::size_t i = 0; rows && i < rows->size(); ++i) {
    const auto& of = wanted[static_cast<std::size_t>(rows->bigint(i, 0))];
    auto packet = open_packet(of.shop, rows->bytes(i, 1));
    auto& all = events_[{of.shop, of.sku}].all;
    std::ranges::move(packet, std::back_inserter(all));
  }
}

void PostgresCloudTxn::put_events(const BranchKey& of, const std::string& sku, const std::vector<StockEvent>& events) {
  if (events.empty()) return;
  Packed<PackedEvent> packet;
  for (const StockEvent& e : events) packet.all.push_back(PackedEvent::from(e, chain_to_write(of, e.chain).id));
  const Hlc last = std::ranges::max(packet.all, {}, &PackedEvent::hlc).hlc;
  packets_.branches.add(shop(of).id);
  packets_.skus.add(ByteView(indexed(sku)));
  packets_.hlcs.add(sorted(last.value));
  packets_.events.add(ByteView(pack(packet)));
  events_.clear();
}

// From whatever packet it lies in, whose stamp stays, as a bound.
void PostgresCloudTxn::drop_event(const BranchKey& of, const std::string& sku, const StockPlace& place) {
  const std::int64_t branch = held(of).id, chain = chain_to_write(of, {place.till, place.incarnation}).id;
  flush_events();
  events_.clear();
  const auto rows = run(kPackets, Values().add(branch).add(ByteView(indexed(sku))).add(sorted(place.hlc.value)));
  for (std::size_t i = 0; rows && i < rows->size(); ++i) {
    auto packet = unpack<Packed<PackedEvent>>(rows->bytes(i, 2)).value_or(Packed<PackedEvent>{});
    const auto gone = std::erase_if(
        packet.all, [&](const PackedEvent& e) { return e.hlc == place.hlc && e.chain == chain && e.seq == place.seq; });
    if (gone == 0) continue;
    db_.send(kChangePacket, Values()
                                .add(branch)
                                .add(ByteView(indexed(sku)))
                                .add(rows->bigint(i, 0))
                                .add(rows->bigint(i, 1))
                                .add(ByteView(pack(packet))));
    return;
  }
}

void PostgresCloudTxn::flush_events() {
  const Packets p = std::exchange(packets_, {});
  if (p.hlcs.size() > 0) db_.send(kPutEvents, Values().add(p.branches).add(p.skus).add(p.hlcs).add(p.events));
}

}  // namespace tillsync::postgres
