#include "lease/fitness_ranking.hpp"

#include <algorithm>

namespace tillsync {

std::uint32_t FitnessRanking::of(const TillId& who) const {
  const auto it = reported_.find(who);
  return it == reported_.end() ? 0 : it->second;
}

bool FitnessRanking::fitter(const TillId& a, const TillId& b) const { return of(a) != of(b) ? of(a) > of(b) : a < b; }

unsigned FitnessRanking::rank(const TillId& who, const std::vector<TillId>& rivals) const {
  return static_cast<unsigned>(std::ranges::count_if(rivals, [&](const TillId& each) { return fitter(each, who); }));
}

std::optional<TillId> FitnessRanking::fittest(const std::vector<TillId>& among) const {
  const auto best = std::ranges::min_element(among, [&](const TillId& a, const TillId& b) { return fitter(a, b); });
  return best == among.end() ? std::nullopt : std::optional(*best);
}

std::optional<TillId> FitnessRanking::successor(Instant now, const TillId& host, Instant hosts_since,
                                                const std::vector<TillId>& peers) {
  const auto best = fittest(peers);
  if (!best || of(*best) <= of(host)) {
    outdone_since_.reset();
    return std::nullopt;
  }
  if (!outdone_since_) outdone_since_ = now;
  if (now - *outdone_since_ < kOutdoneFor || now - hosts_since < kOutdoneFor) return std::nullopt;
  outdone_since_.reset();
  return best;
}

}  // namespace tillsync
