#include "sim/rules/cloud_reader.hpp"

#include <algorithm>

#include "storage/model/op_codec.hpp"

namespace tillsync::sim {

void CloudReader::read_new_ops(const RuleList& rules) {
  evidence_.fleet().cloud().read([&](CloudTxn& txn) {
    for (int b = 0; b < evidence_.fleet().branches(); ++b) read(txn, b, rules);
  });
}

void CloudReader::read(CloudTxn& txn, int branch, const RuleList& rules) {
  const BranchKey shop = evidence_.fleet().shop(branch);
  std::vector<std::pair<Op, OpEffect>> fresh;
  for (const auto& each : txn.chains(shop)) {
    const ChainId& chain = each.first;
    ChainPoint& seen = seen_[{branch, chain}];
    if (seen.seq < each.second.seq) {
      txn.ops(shop, chain, seen.seq.next(), [&](const CloudOp& stored) {
        auto op = decode_op(stored.bytes);
        std::optional<Op> read = op ? std::optional<Op>(std::move(*op)) : std::nullopt;
        const Arrival arrival{branch, chain, seen, stored.bytes, blake2b(stored.bytes), read};
        for (const auto& rule : rules) rule->on_stored(arrival);
        seen = {stored.seq, arrival.hash};
        if (read) fresh.emplace_back(std::move(*read), stored.effect), ++ops_;
        return true;
      });
    }
    for (const auto& rule : rules) rule->on_watermark(branch, chain, each.second, seen);
  }
  // Which of two in one transaction came first is not known: the one that took effect.
  std::stable_partition(fresh.begin(), fresh.end(), [](const auto& f) { return f.second == OpEffect::applied; });
  ShopModel& model = evidence_.shop(branch);
  for (const auto& [op, effect] : fresh) {
    for (const auto& rule : rules) rule->on_effect(branch, op, effect, model.right_effect(op));
    model.take(op, effect);
  }
  const std::set<std::string> moved = model.end_of_job();
  for (const auto& rule : rules) rule->on_stock(branch, txn, moved);
}

}  // namespace tillsync::sim
