#include "sim/rules/rule_table.hpp"

namespace tillsync::sim {

namespace {

constexpr std::uint64_t kMaxOwnOps = 200;   // that engines write by themselves
constexpr std::uint64_t kOpsOfReceipt = 8;  // a sale is issued again after each fork

class GrowthRule final : public Rule {
 public:
  using Rule::Rule;

  void on_receipt(const SimTill&, const HandedOut&) override { ++receipts_; }

  void on_flushed(const SimTill&, const std::vector<Bytes>&) override {
    if (broken_ || evidence_.ops_flushed() <= kMaxOwnOps + kOpsOfReceipt * receipts_) return;
    broken_ = true;
    breaks("growth: " + std::to_string(evidence_.ops_flushed()) + " ops on disk for " + std::to_string(receipts_) +
           " receipts");
  }

 private:
  std::uint64_t receipts_ = 0;
  bool broken_ = false;
};

}  // namespace

const RuleKind rules::growth{"growth", "Journals grow with what is sold, and not by themselves.", "",
                             make_rule<GrowthRule>};

}  // namespace tillsync::sim
