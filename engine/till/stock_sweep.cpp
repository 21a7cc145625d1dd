#include "engine/till/stock_sweep.hpp"

#include <map>
#include <set>

namespace tillsync {

StockSweep::StockSweep(const TillContext& context, StockView& stock, const RowReader& rows, const HistoryAcks& acks)
    : context_(context), stock_(stock), rows_(rows), acks_(acks) {}

void StockSweep::write(const Moment& at, Checkpoint& into) {
  if (wanted_ && at.mono() >= next_) {
    wanted_ = stock_.adding();  // what is stored now for the first time is looked at the next time
    next_ = at.mono() + kEvery;
    sweep(into.view);
  }
  stock_.form(into.view, into.batch);
}

void StockSweep::sweep(TillView& view) {
  std::map<ChainId, Seq> settled;
  std::set<TillId> known;  // to the cloud; a history of theirs that it does not know was lost before it got there
  for (const ChainUpTo& s : rows_.settled()) settled[s.chain()] = s.seq, known.insert(s.till);
  known.erase(context_.self());
  for (const OldChain& own : acks_.all()) {
    Seq& seq = settled[{context_.self(), own.incarnation}];
    if (seq == ChainUpTo::kClosed) seq = own.cloud.seq;
  }
  view.event_groups([&](const std::string& sku, const ChainId& chain, Seq last) {
    const auto it = settled.find(chain);
    const bool lost = it == settled.end() && known.contains(chain.till);
    if (it == settled.end() && !lost) return;
    view.events_of(sku, chain, {}, lost ? last : it->second,
                   [&](const StockEvent& event) { stock_.retract(sku, event); });
  });
}

}  // namespace tillsync
