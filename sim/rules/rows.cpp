#include <utility>

#include "sim/rules/rule_table.hpp"

namespace tillsync::sim {

namespace {

class RowsRule final : public Rule {
 public:
  using Rule::Rule;

  void on_cloud_job() override { ++cloud_jobs_; }

  void at_any_time() override {
    if (fleet().world().now() < next_) return;
    next_ = fleet().world().now() + evidence_.rows_every();
    for (const auto& till : fleet().tills()) {
      if (till->responds() && fleet().cloud().alive() && moved(*till)) check(*till, false);
    }
  }

  void after_quiet() override {
    for (const auto& till : fleet().tills()) {
      if (fleet().is_member(*till)) check(*till, true);
    }
  }

 private:
  // Rows change by a job of the cloud or a commit of the till; most seconds have neither.
  bool moved(const SimTill& till) {
    const std::uint64_t now = cloud_jobs_ + till.commits_and_starts();
    return std::exchange(seen_[till.label()], now) != now;
  }

  void check(const SimTill& till, bool finally) {
    const int branch = fleet().branch_of(till);
    const BranchKey shop = fleet().shop(branch);
    std::map<FeedKind, RowWatermark> positions;
    for (const auto& [feed, record] : till.store().view().feeds()) positions[feed] = record.watermark;
    fleet().cloud().read([&](CloudTxn& txn) {
      for (const std::string& name : {std::string("tenant"), "branch/" + fleet().roster(branch).branch.text}) {
        for (const std::string& kind : txn.kinds(shop, name)) {
          const FeedKind feed{name, kind};
          const RowWatermark at = positions[feed];
          const bool same_generation = at.generation == txn.feed(shop, feed).watermark.generation;
          if (finally || same_generation) compare(till, shop, txn, feed, finally ? kAll : at.version);
        }
      }
    });
  }

  void compare(const SimTill& till, const BranchKey& shop, CloudTxn& txn, const FeedKind& feed, RowVersion covered) {
    std::map<std::string, Row> held;
    TillView view = till.store().view();
    view.rows_after(feed, {}, [&](const TillView::StoredRow& stored) {
      held.emplace(stored.row.id, stored.row);
      return true;
    });
    txn.rows_after(shop, feed, {}, [&](const Row& truth) {
      const auto mine = held.find(truth.id);
      const bool same = mine != held.end() && mine->second == truth;
      const bool gone = truth.deleted && mine == held.end();  // by a snapshot
      if (truth.version <= covered && !same && !gone)
        breaks("rows: " + till.label() + " does not have " + feed.kind + " " + truth.id + " as the cloud has it");
      if (mine != held.end() && mine->second.version <= truth.version) held.erase(mine);
      return true;
    });
    for (const auto& [id, row] : held)
      breaks("rows: " + till.label() + " has a " + feed.kind + " " + id + " that the cloud never had");
  }

  static constexpr RowVersion kAll{~std::uint64_t{0}};
  std::uint64_t cloud_jobs_ = 0;
  std::map<std::string, std::uint64_t> seen_;  // of each till: what its rows and the cloud's were when last compared
  Instant next_;
};

}  // namespace

const RuleKind rules::rows{"rows",
                           "What a reader's row watermark covers it has, just as the cloud has it: none skipped, none "
                           "invented, none resurrected.",
                           "While the world runs, not of a reader that has not heard yet that the cloud went back; in "
                           "the end, not of a till that was taken out of the roster.",
                           make_rule<RowsRule>};

}  // namespace tillsync::sim
