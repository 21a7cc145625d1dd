#include "sim/rules/evidence.hpp"

#include <utility>

#include "storage/model/op_codec.hpp"

namespace tillsync::sim {

Evidence::Evidence(Fleet& fleet, Duration rows_every)
    : fleet_(fleet), rows_every_(rows_every), shops_(static_cast<std::size_t>(fleet.branches())) {}

const Evidence::Flushed* Evidence::flushed(const Hash& hash) const {
  const auto found = flushed_.find(hash);
  return found == flushed_.end() ? nullptr : &found->second;
}

void Evidence::on_flushed(const std::vector<Bytes>& ops) {
  for (const Bytes& bytes : ops) {
    if (const auto op = decode_op(bytes)) flushed_[blake2b(bytes)] = {op->chain, op->seq, op->hlc};
  }
}

void Evidence::on_word_of_cloud(const SimTill& till) {
  const int branch = fleet_.branch_of(till);
  if (misfortunes_.awaits_word_of_cloud(branch)) misfortunes_.cloud_was_heard(branch, fleet_.nowhere());
}

void Evidence::cloud_went_back(const std::set<std::string>& lost) {
  std::map<int, std::set<std::string>> held;
  for (int b = 0; b < fleet_.branches(); ++b) held[b] = std::exchange(shop(b), {}).keys_in_effect();
  misfortunes_.cloud_went_back(lost, held);
}

void Evidence::after_event() {
  holders_.clear();
  for (const auto& till : fleet_.tills()) {
    if (!till->alive()) continue;
    const LeaseView lease = till->node().lease(till->now());
    if (lease.kind == LeaseKind::exclusive && lease.host.text == till->label())
      holders_.push_back({fleet_.branch_of(*till), till->label(), lease.term});
  }
}

}  // namespace tillsync::sim
