// One till's vote: its answers to candidates, its promises, and the one of them that waits for the disk. A grant may
// leave only when its promise is durable; until then no other promise is given.
//
//   Voter::Answer answer = voter.on_request(now, ballot, live_host, roster.version);
//   if (answer.promise) store(*answer.promise);                // then on_durable() has the grant that may leave
//   if (answer.message) send(ballot.candidate, *answer.message);
#pragma once

#include <optional>
#include <utility>

#include "lease/grantor.hpp"

namespace tillsync {

class Voter {
 public:
  Voter(TillId self, SecretKey key, std::optional<Promise> stored, Instant now)
      : self_(std::move(self)), key_(key), grantor_(std::move(stored), now) {}

  // `live_host` stands in the way as a promise does. A pre-vote changes nothing.
  PreVoteReply on_pre_vote(Instant now, const Ballot& ballot, Term highest_seen,
                           const std::optional<Refusal>& live_host, std::uint64_t roster_version) const;
  struct Answer {
    std::optional<Promise> promise;  // to be stored first
    std::optional<LeaseMessage> message;
    bool denied = false;
  };
  Answer on_request(Instant now, const Ballot& ballot, const std::optional<Refusal>& live_host,
                    std::uint64_t roster_version);

  // This till's own candidacy: why it can't have its own vote now, and its vote, which binds at once. What has to be
  // stored before the request may leave, if anything.
  std::optional<Refusal> refusal(Instant now, const Ballot& own) const { return grantor_.refusal(now, own); }
  std::optional<Promise> promise(Instant now, const Ballot& ballot);

  bool storing() const { return waiting_.has_value(); }
  // The ballot of which the grant may leave now; nothing when no promise was waiting.
  std::optional<Ballot> on_durable() { return std::exchange(waiting_, std::nullopt); }
  Binary signature(const Ballot& ballot) const { return Binary(key_.sign(ballot.grant_bytes(self_))); }
  Grant grant(const Ballot& ballot) const { return {ballot, self_, signature(ballot)}; }

  void release(Instant now, Term term, const TillId& holder) { grantor_.release(now, term, holder); }
  const Promise& current() const { return grantor_.current(); }
  Instant bound_until() const { return grantor_.bound_until(); }

 private:
  TillId self_;
  SecretKey key_;
  Grantor grantor_;
  std::optional<Ballot> waiting_;
};

}  // namespace tillsync
