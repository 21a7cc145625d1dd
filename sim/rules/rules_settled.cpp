// What a reader holds is as its watermark says; and what must hold when all is healed.
#include <algorithm>

#include "conflicts/kinds.hpp"
#include "sim/rules/rules.hpp"

namespace tillsync::sim {

// Rule 5: what a reader's watermark covers, it has, as it was there; what was deleted does not come back.
void Rules::check_rows(const SimTill& till, bool finally) {
  const int branch = fleet_->branch_of(till);
  TillView view = till.store().view();
  std::map<FeedKind, FeedRecord> positions;
  for (const auto& [feed, record] : view.feeds()) positions[feed] = record;
  fleet_->cloud().read([&](CloudTxn& txn) {
    for (const std::string& name : {std::string("tenant"), "branch/" + fleet_->roster(branch).branch.text}) {
      for (const std::string& kind : txn.kinds(fleet_->shop(branch), name)) {
        const FeedKind feed{name, kind};
        const RowWatermark at = positions[feed].watermark;
        const RowVersion seen = at.version;
        if (!finally && at.generation != txn.feed(fleet_->shop(branch), feed).watermark.generation) continue;
        std::map<std::string, Row> held;
        view.rows_after(feed, {}, [&](const TillView::StoredRow& stored) {
          held.emplace(stored.row.id, stored.row);
          return true;
        });
        txn.rows_after(fleet_->shop(branch), feed, {}, [&](const Row& truth) {
          const auto mine = held.find(truth.id);
          const bool same = mine != held.end() && mine->second == truth;
          const bool gone = truth.deleted && mine == held.end();  // by a snapshot
          if ((finally || truth.version <= seen) && !same && !gone)
            breaks("rows: " + till.label() + " does not have " + feed.kind + " " + truth.id + " as the cloud has it");
          if (mine != held.end() && mine->second.version <= truth.version) held.erase(mine);
          return true;
        });
        for (const auto& [id, row] : held)
          breaks("rows: " + till.label() + " has a " + feed.kind + " " + id + " that the cloud never had");
      }
    }
  });
}

// Rule 6: no disagreement vanishes.
void Rules::check_conflicts(int branch) {
  const auto list = fleet_->conflicts(branch);
  auto listed = [&](const std::string& kind, const std::string& about) {
    return std::any_of(list.begin(), list.end(), [&](const Conflict& c) {
      return c.kind == kind && (c.id.find(about) != std::string::npos || c.summary.find(about) != std::string::npos);
    });
  };
  for (const std::string& key : books_[branch].conflicting) {
    if (!listed("duplicate_key", "'" + key + "'"))
      breaks("vanished: two ops with the key " + key + " differ, and nobody is told");
  }
  for (const auto& [key, place] : books_[branch].overruled) {
    if (!place.empty() && !listed("two_resolutions", "word/" + place))
      breaks("vanished: somebody's word " + place + " came too late, and nobody is told");
  }
  for (const ChainId& chain : books_[branch].incarnations) {
    if (!listed("forked_history", chain.till.text + "/" + std::to_string(chain.incarnation.value)))
      breaks("vanished: the fork of " + chain.till.text + " is not listed");
  }
}

// Where more had gone than there was, of a product that was ever counted or delivered, is suspected or open, and
// nothing else is suspected.
void Rules::check_dips(int branch, const std::vector<Conflict>& list) {
  std::set<std::string> dips;
  for (auto& [sku, events] : books_[branch].stock) {
    std::sort(events.begin(), events.end());
    std::int64_t stock = 0;
    bool kept = false, below = false;
    for (const StockEvent& e : events) {
      kept = kept || e.stocked;
      stock = e.is_count ? e.milli : stock + e.milli;
      const bool now_below = kept && stock < 0;
      if (now_below && !below) dips.insert(below_zero(sku, e.place(), stock, {}, 0).id);
      below = now_below;
    }
  }
  for (const Conflict& c : list) {
    if (c.kind == "below_zero" && c.state == ConflictState::suspected && !dips.contains(c.id))
      breaks("conflicts: " + c.id + " is suspected, and never happened");
    if (c.waits() || c.state == ConflictState::resolved) dips.erase(c.id);
  }
  for (const std::string& id : dips) breaks("vanished: nobody is told of " + id);
}

// Of everything that was said on a conflict, what is in effect is the one word that its record names.
void Rules::check_words(int branch, const std::vector<Conflict>& list) {
  std::set<std::string> twice;
  for (const Conflict& c : list) {
    if (c.kind == "two_resolutions") twice.insert(c.subject);
  }
  for (const Conflict& c : list) {
    if (c.settlement.has_value() != (c.state == ConflictState::resolved))
      breaks("words: " + c.id + " is settled and is not");
    if (twice.contains(c.id)) continue;
    std::map<std::string, std::int64_t> said = books_[branch].words[c.id];
    if (c.settlement) {
      for (const ConflictMove& move : c.settlement->moves) said[move.sku] -= move.milli;
    }
    for (const auto& [sku, milli] : said) {
      if (milli != 0 && c.branch == fleet_->shop(branch).branch.text) breaks("words: more than one on " + c.id);
    }
  }
}

void Rules::when_settled() {
  for (const auto& till : fleet_->tills()) {
    if (!fleet_->is_member(*till)) continue;
    const int branch = fleet_->branch_of(*till);
    for (const HandedOut& each : till->receipts()) {
      const ShopBook& book = books_[branch];
      if (!book.effects.contains(each.key) && !book.overruled.contains(each.key) && !destroyed_.contains(each.key))
        breaks("lost: " + each.key + " of " + till->label());
    }
    check_rows(*till, true);
    if (!fleet_->stock_agrees(*till)) breaks("stock: " + till->label() + " differs from the cloud");
  }
  for (int b = 0; b < fleet_->branches(); ++b) {
    check_conflicts(b);
    check_dips(b, fleet_->conflicts(b));
    check_words(b, fleet_->conflicts(b));
  }
}

}  // namespace tillsync::sim
