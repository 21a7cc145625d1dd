#include "lease/voter.hpp"

#include <algorithm>

namespace tillsync {

PreVoteReply Voter::on_pre_vote(Instant now, const Ballot& ballot, Term highest_seen,
                                const std::optional<Refusal>& live_host, std::uint64_t roster_version) const {
  const auto refusal = grantor_.refusal(now, ballot);
  PreVoteReply reply{ballot.nonce, std::max(highest_seen, current().term), false, 0, roster_version};
  reply.granted = !refusal && !live_host && ballot.roster_version == roster_version;
  if (refusal) reply.remaining_ms = left_ms(refusal->remaining);
  if (live_host) reply.remaining_ms = std::max(reply.remaining_ms, left_ms(live_host->remaining));
  return reply;
}

Voter::Answer Voter::on_request(Instant now, const Ballot& ballot, const std::optional<Refusal>& live_host,
                                std::uint64_t roster_version) {
  auto refusal = grantor_.refusal(now, ballot);
  if (!refusal) refusal = live_host;
  if (refusal || ballot.roster_version != roster_version || storing()) {
    const Promise& mine = current();
    const Refusal why = refusal.value_or(Refusal{mine.term, mine.term.value > 0 ? mine.holder : self_, {}});
    return {std::nullopt, Deny{ballot.nonce, why.term, why.holder, left_ms(why.remaining), roster_version}, true};
  }
  if (const auto first = promise(now, ballot)) return {first, std::nullopt, false};
  return {std::nullopt, grant(ballot), false};
}

std::optional<Promise> Voter::promise(Instant now, const Ballot& ballot) {
  if (!grantor_.promise(now, ballot)) return std::nullopt;
  waiting_ = ballot;
  return grantor_.current();
}

}  // namespace tillsync
