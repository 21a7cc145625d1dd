// Which grants this node has seen, of the last terms: a grantor that signs for two candidates in one term is found out
// by whoever sees both signatures.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "lease/messages.hpp"

namespace tillsync {

class EquivocationDetector {
 public:
  static constexpr std::uint64_t kTerms = 16;
  static constexpr std::size_t kMost = 1024;

  // A grant whose signature was found right. The evidence, the first time that it disagrees with one seen before.
  std::optional<TwoGrants> enter(const Ballot& ballot, const TillId& grantor, const Binary& signature) {
    const auto place = std::pair(ballot.term, grantor);
    const auto [it, fresh] = seen_.try_emplace(place, ballot, signature);
    if (fresh) forget_old(ballot.term);
    if (fresh || it->second.first.candidate == ballot.candidate || !reported_.insert(place).second) return std::nullopt;
    return TwoGrants{grantor, it->second.first, ballot, it->second.second, signature};
  }

 private:
  using Place = std::pair<Term, TillId>;
  void forget_old(Term newest) {
    while (!seen_.empty() && (seen_.size() > kMost || seen_.begin()->first.first.value + kTerms < newest.value))
      seen_.erase(seen_.begin());
    while (reported_.size() > kMost) reported_.erase(reported_.begin());
  }
  std::map<Place, std::pair<Ballot, Binary>> seen_;
  std::set<Place> reported_;
};

}  // namespace tillsync
