// The fold against a reference of a few lines, over random histories that arrive in random order.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "engine/cloud/ingest/frontier.hpp"
#include "engine/ledger/ledger.hpp"
#include "engine/till/stock_view.hpp"
#include "storage/base/pack.hpp"
#include "storage/base/random.hpp"
#include "storage/model/feeds.hpp"
#include "tests/scratch.hpp"

using namespace tillsync;

namespace {

struct Expected {
  std::int64_t milli = 0;
  std::map<StockPlace, std::int64_t> dips;  // where each began -> how low it went
};

// Sort everything, apply one by one.
Expected reference(std::vector<StockEvent> events) {
  std::sort(events.begin(), events.end());
  Expected out;
  bool kept = false;
  std::optional<StockPlace> dip;
  for (const StockEvent& e : events) {
    kept = kept || e.stocked;
    out.milli = e.is_count ? e.milli : out.milli + e.milli;
    if (!kept || out.milli >= 0) {
      dip.reset();
      continue;
    }
    if (!dip) dip = e.place();
    out.dips[*dip] = std::min(out.dips[*dip], out.milli);
  }
  return out;
}

std::vector<StockEvent> history(Random& random, std::size_t tills, std::size_t length) {
  std::vector<StockEvent> events;
  std::map<std::uint64_t, std::uint64_t> seqs;
  for (std::size_t i = 0; i < length; ++i) {
    const std::uint64_t till = random.below(tills);
    const bool count = random.below(12) == 0;
    const auto amount = static_cast<std::int64_t>(random.below(5)) * 1000;
    const std::int64_t sign = random.below(3) == 0 ? 1 : -1;
    events.push_back({Hlc::at(static_cast<std::int64_t>(100 + i * 10 + random.below(40))),
                      {TillId{"till-" + std::to_string(till)}, Incarnation{1}},
                      Seq{++seqs[till]},
                      count,
                      count ? amount * 2 : sign * amount,
                      count || (sign > 0 && random.below(2) == 0)});
  }
  return events;
}

// Feeds the events in an order in which tills that were offline come late, and in batches, as jobs bring them.
void compare(Random& random, std::vector<StockEvent> events, bool store) {
  std::multimap<std::uint64_t, StockEvent> by_arrival;
  for (std::size_t i = 0; i < events.size(); ++i)
    by_arrival.emplace(i + (random.below(4) == 0 ? random.below(events.size()) : 0), events[i]);
  std::vector<StockEvent> arriving;
  for (const auto& [when, event] : by_arrival) arriving.push_back(event);
  Ledger ledger;
  std::vector<StockEvent> held;
  std::map<StockPlace, std::int64_t> dips;
  for (std::size_t at = 0; at < arriving.size();) {
    const std::size_t size = std::min(arriving.size() - at, static_cast<std::size_t>(1 + random.below(6)));
    std::vector<StockEvent> batch(arriving.begin() + static_cast<std::ptrdiff_t>(at),
                                  arriving.begin() + static_cast<std::ptrdiff_t>(at + size));
    at += size;
    std::sort(batch.begin(), batch.end());
    held.insert(held.end(), batch.begin(), batch.end());
    std::sort(held.begin(), held.end());
    const Ledger::Change change = ledger.add(batch, batch.front().place(), [&](const StockPlace& after) {
      const auto from =
          std::upper_bound(held.begin(), held.end(), after, [](const auto& p, const auto& e) { return p < e.place(); });
      return std::vector<StockEvent>(from, held.end());
    });
    dips.erase(dips.lower_bound(change.since), dips.end());
    for (const Dip& dip : change.dips) dips[dip.from] = dip.lowest;
    if (store) ledger = unpack<Ledger>(pack(ledger)).value();
  }
  const Expected right = reference(events);
  REQUIRE(ledger.milli() == right.milli);
  REQUIRE(dips == right.dips);
}

}  // namespace

TEST_CASE("100,000 random histories, late and out of order, fold as if they had come in order") {
#ifdef __SANITIZE_ADDRESS__
  constexpr int kHistories = 5'000;  // the same ones, not as many
#else
  constexpr int kHistories = 100'000;
#endif
  Random random(7);
  for (int i = 0; i < kHistories; ++i) compare(random, history(random, 4, 2 + random.below(14)), false);
}

// A till hears the events in any order, some of them twice, and in between a row of the cloud's that contains some.
TEST_CASE(
    "100,000 random histories at a till: the cloud's row and what it does not contain are the whole, in any order") {
#ifdef __SANITIZE_ADDRESS__
  constexpr int kHistories = 5'000;
#else
  constexpr int kHistories = 100'000;
#endif
  test::Folder folder;
  auto store = *TillStore::open(folder.path);
  Random random(9);
  int compared = 0;
  for (int i = 0; i < kHistories; ++i) {
    const std::vector<StockEvent> all = history(random, 3, 2 + random.below(10));
    std::map<ChainId, Seq> until;  // contained in the cloud's row
    for (const StockEvent& e : all) {
      if (random.below(2) == 0) until[e.chain] = std::max(until[e.chain], e.seq);
    }
    std::vector<StockEvent> contained, others;
    for (const StockEvent& e : all) (e.seq <= until[e.chain] ? contained : others).push_back(e);
    StockRow row;
    row.milli = reference(contained).milli;
    for (const auto& [chain, seq] : until) row.contained.push_back({chain.till, chain.incarnation, seq});
    for (const StockEvent& e : contained) {
      if (e.is_count) row.last_count = std::max(row.last_count.value_or(StockPlace{}), e.place());
    }
    // The one case that a till gets wrong, until the cloud has the count (docs/decisions/0018).
    const bool late_count = std::ranges::any_of(others, [&](const StockEvent& count) {
      return count.is_count && std::ranges::any_of(contained, [&](const StockEvent& e) { return count < e; });
    });
    if (late_count) continue;
    ++compared;
    StockView book(BranchId{"main"});
    std::vector<StockEvent> heard = all;
    heard.push_back(all[random.below(all.size())]);
    for (std::size_t n = heard.size(); n > 1; --n) std::swap(heard[n - 1], heard[random.below(n)]);
    const std::uint64_t when = random.below(heard.size());
    for (std::size_t n = 0; n < heard.size(); ++n) {
      if (n == when) book.set_row("cola", row);
      book.add("cola", heard[n]);
    }
    TillView view = store->view();
    REQUIRE(book.quantity(view, "cola") == reference(all).milli);
  }
  CHECK(compared > kHistories / 3);
}

TEST_CASE("long histories fold again from a mark, not from the beginning") {
  Random random(8);
  for (int i = 0; i < 12; ++i) compare(random, history(random, 5, 1500), i % 2 == 0);
  Ledger ledger;
  std::vector<StockEvent> all;
  std::size_t most = 0;
  const auto events = [&](const StockPlace& after) {
    std::vector<StockEvent> out;
    std::ranges::copy_if(all, std::back_inserter(out), [&](const StockEvent& e) { return after < e.place(); });
    most = std::max(most, out.size());
    return out;
  };
  for (std::uint64_t n = 1; n <= 10'000; ++n) {
    const bool late = n % 100 == 0;
    const auto at = static_cast<std::int64_t>(late ? n * 10 - 200 : n * 10);
    const StockEvent e{Hlc::at(at), {TillId{late ? "till-2" : "till-1"}, Incarnation{1}}, Seq{n}, false, -1000};
    all.push_back(e);
    std::sort(all.begin(), all.end());
    ledger.add({e}, e.place(), events);
  }
  CHECK(most <= Ledger::kMarkEvery + 30);
  CHECK(ledger.milli() == -10'000'000);
}

TEST_CASE("the frontier waits for every till, never for one that is silent for a week, and never comes too near") {
  constexpr std::int64_t kMinute = 60'000, kStart = 1'000'000'000'000;
  const std::vector<TillId> tills = {TillId{"till-1"}, TillId{"till-2"}};
  Frontier frontier;
  frontier.heard(tills[0], Hlc::at(kStart), kStart);
  CHECK_FALSE(frontier.advance(tills, kStart));  // of the other nothing was heard yet
  frontier.heard(tills[1], Hlc::at(kStart - kMinute), kStart);
  CHECK(frontier.advance(tills, kStart + 30 * kMinute));
  CHECK(frontier.at() == Hlc::at(kStart - kMinute));
  frontier.heard(tills[0], Hlc::at(kStart + 500 * kMinute), kStart + 30 * kMinute);  // a clock that is ahead
  frontier.heard(tills[1], Hlc::at(kStart + 30 * kMinute), kStart + 30 * kMinute);
  CHECK(frontier.advance(tills, kStart + 30 * kMinute));
  CHECK(frontier.at() == Hlc::at(kStart + 25 * kMinute));
  CHECK_FALSE(frontier.advance(tills, kStart + 30 * kMinute));

  const std::int64_t later = kStart + 30 * kMinute + Frontier::kLeftOutMs;
  frontier.heard(tills[0], Hlc::at(later), later);
  CHECK(frontier.left_out(tills, later) == std::vector<TillId>{tills[1]});
  CHECK(frontier.advance(tills, later));
  CHECK(frontier.at() == Hlc::at(later - Frontier::kBehindMs));
  frontier.heard(tills[1], Hlc::at(later - 60 * kMinute), later);  // it is back, with a past of its own
  CHECK(frontier.at() == Hlc::at(later - Frontier::kBehindMs));
  CHECK_FALSE(frontier.advance(tills, later + kMinute));
}
