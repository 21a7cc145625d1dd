#include "sim/rules/rule_table.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/feeds.hpp"

namespace tillsync::sim {

namespace {

class CloudStockRule final : public Rule {
 public:
  using Rule::Rule;

  void on_stock(int branch, CloudTxn& txn, const std::set<std::string>& products) override {
    const auto& stock = evidence_.shop(branch).stock();
    for (const std::string& sku : products) {
      const auto row = txn.row(fleet().shop(branch), stock_feed(fleet().roster(branch).branch), sku);
      const auto fields = row ? unpack<StockRow>(row->fields) : std::nullopt;
      if (!fields || fields->milli != fold(stock.at(sku)))
        breaks("stock: the cloud's row of " + sku + " is not the fold of its ops");
    }
  }
};

}  // namespace

const RuleKind rules::cloud_stock{
    "cloud-stock",
    "After every transaction the cloud's stock is the fold of all its ops, re-dated where a clock was wrong.", "",
    make_rule<CloudStockRule>};

}  // namespace tillsync::sim
