// How fit the tills of a branch are to host, as they report it, and whether this host has been outdone for long enough
// to hand over. Fitness ranks candidates; it deposes nobody.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <tillsync/ids.hpp>
#include <tillsync/time.hpp>
#include <vector>

namespace tillsync {

class FitnessRanking {
 public:
  // So long a peer must have been fitter, and the host have hosted.
  static constexpr Duration kOutdoneFor = seconds(30);

  void report(const TillId& who, std::uint32_t fitness) { reported_[who] = fitness; }
  std::uint32_t of(const TillId& who) const;  // 0 while nothing is reported

  // Of equally fit ones, the one with the lower name.
  bool fitter(const TillId& a, const TillId& b) const;
  unsigned rank(const TillId& who, const std::vector<TillId>& rivals) const;  // how many of them are fitter
  std::optional<TillId> fittest(const std::vector<TillId>& among) const;

  // To be asked again and again while `host` hosts, since `hosts_since`: the one of `peers` that it hands over to. A
  // lower name alone moves nothing.
  std::optional<TillId> successor(Instant now, const TillId& host, Instant hosts_since,
                                  const std::vector<TillId>& peers);

 private:
  std::map<TillId, std::uint32_t> reported_;
  std::optional<Instant> outdone_since_;
};

}  // namespace tillsync
