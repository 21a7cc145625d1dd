#include "engine/cloud/ingest/frontier.hpp"

#include <algorithm>

namespace tillsync {

Frontier::Heard& Frontier::of(const TillId& till, std::int64_t now_ms) {
  const auto it = std::ranges::find(tills_, till, &Heard::till);
  return it != tills_.end() ? *it : tills_.emplace_back(Heard{till, {}, now_ms});
}

void Frontier::heard(const TillId& till, Hlc hlc, std::int64_t now_ms) {
  Heard& heard = of(till, now_ms);
  heard.at_ms = now_ms;
  heard.hlc = std::max(heard.hlc, std::min(hlc, Hlc::at(now_ms)));  // a clock that is ahead promises nothing
}

bool Frontier::advance(const std::vector<TillId>& tills, std::int64_t now_ms) {
  Hlc next = Hlc::at(now_ms - kBehindMs);
  for (const TillId& till : tills) {
    const Heard& heard = of(till, now_ms);
    if (now_ms - heard.at_ms < kLeftOutMs) next = std::min(next, heard.hlc);
  }
  if (tills.empty() || next <= at_) return false;
  at_ = next;
  return true;
}

std::vector<TillId> Frontier::left_out(const std::vector<TillId>& tills, std::int64_t now_ms) const {
  std::vector<TillId> out;
  for (const Heard& heard : tills_) {
    if (now_ms - heard.at_ms >= kLeftOutMs && std::ranges::count(tills, heard.till) > 0) out.push_back(heard.till);
  }
  return out;
}

}  // namespace tillsync
