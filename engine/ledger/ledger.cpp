#include "engine/ledger/ledger.hpp"

#include <algorithm>
#include <utility>

#include "storage/base/mutants.hpp"

namespace tillsync {

namespace {
constexpr std::size_t kTookKept = 2;  // before the one that goes below zero: who it competed with
}

void Ledger::apply(const StockEvent& event, std::vector<Dip>& ended) {
  const StockPlace place = event.place();
  now_.kept = now_.kept || event.stocked;
  if (event.is_count) {
    now_.milli = event.milli, now_.last_count = place;
    now_.took.clear();
  } else {
    now_.milli =
        static_cast<std::int64_t>(static_cast<std::uint64_t>(now_.milli) + static_cast<std::uint64_t>(event.milli));
  }
  if (now_.dip && now_.milli >= 0) ended.push_back(*std::exchange(now_.dip, {}));
  if (event.milli < 0 && !event.is_count) {
    if (now_.dip && now_.dip->sides.size() < kMaxSides) now_.dip->sides.push_back(place);
    now_.took.push_back(place);
    if (now_.took.size() > kTookKept + 1) now_.took.erase(now_.took.begin());
  }
  if (now_.dip) now_.dip->lowest = std::min(now_.dip->lowest, now_.milli);
  if (now_.kept && !now_.dip && now_.milli < 0) now_.dip = Dip{place, now_.milli, now_.took};
  newest_ = place;
  if (++since_mark_ < kMarkEvery) return;
  marks_.push_back({place, now_});
  since_mark_ = 0;
}

std::optional<StockPlace> Ledger::folds_from(const StockPlace& first) const {
  if (newest_ < first) return std::nullopt;
  const auto mark =
      std::ranges::find_if(marks_.rbegin(), marks_.rend(), [&](const Mark& m) { return m.place < first; });
  return mark == marks_.rend() ? StockPlace{} : mark->place;
}

Ledger::Change Ledger::add(const std::vector<StockEvent>& fresh, const StockPlace& first, const Events& events) {
  Change change{first, {}};
  const bool at_the_end = newest_ < first;
  if (!at_the_end && mutated(Mutant::ignore_count)) {
    for (const StockEvent& each : fresh) now_.milli += each.is_count ? 0 : each.milli;
    return change;
  }
  if (!at_the_end) {
    while (!marks_.empty() && !(marks_.back().place < first)) marks_.pop_back();
    now_ = marks_.empty() ? State{} : marks_.back().state;
    newest_ = marks_.empty() ? StockPlace{} : marks_.back().place;
    since_mark_ = 0;
    change.since = newest_;
  }
  if (now_.dip) change.since = now_.dip->from;
  for (const StockEvent& each : at_the_end ? fresh : events(newest_)) apply(each, change.dips);
  if (now_.dip) change.dips.push_back(*now_.dip);
  return change;
}

}  // namespace tillsync
