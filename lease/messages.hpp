// What tills say to each other about the lease. Every signature covers branch, term, candidate, nonce, duration and
// roster version in canonical bytes under a prefix of its own, so that none can be replayed for another purpose or
// branch.
#pragma once

#include <optional>
#include <tillsync/ids.hpp>
#include <variant>
#include <vector>

#include "lease/keys.hpp"
#include "lease/roster.hpp"

namespace tillsync {

struct Ballot {
  BranchId branch;
  Term term;
  TillId candidate;
  std::uint64_t nonce = 0;
  std::uint32_t duration_ms = 0;
  std::uint32_t fitness = 0;
  std::uint64_t roster_version = 0;
  bool operator==(const Ballot&) const = default;
  template <class A>
  void fields(A& a) {
    a(branch, term, candidate, nonce, duration_ms, fitness, roster_version);
  }

  Bytes grant_bytes(const TillId& grantor) const;
};

struct PreVote {
  static constexpr std::uint64_t kType = 30;  // on the wire
  Ballot ballot;
  template <class A>
  void fields(A& a) {
    a(ballot);
  }
};

struct PreVoteReply {
  static constexpr std::uint64_t kType = 31;  // on the wire
  std::uint64_t nonce = 0;
  Term term;
  bool granted = false;
  std::uint32_t remaining_ms = 0;  // of the promise that stands in the way
  std::uint64_t roster_version = 0;
  template <class A>
  void fields(A& a) {
    a(nonce, term, granted, remaining_ms, roster_version);
  }
};

// The candidate's own grant, and the wish for the others'. It has promised itself durably before it says so.
struct RequestGrant {
  static constexpr std::uint64_t kType = 32;  // on the wire
  Ballot ballot;
  Binary signature;
  template <class A>
  void fields(A& a) {
    a(ballot, signature);
  }
};

struct Grant {
  static constexpr std::uint64_t kType = 33;  // on the wire
  Ballot ballot;
  TillId grantor;
  Binary signature;
  template <class A>
  void fields(A& a) {
    a(ballot, grantor, signature);
  }
};

struct Deny {
  static constexpr std::uint64_t kType = 34;  // on the wire
  std::uint64_t nonce = 0;
  Term term;
  TillId holder;
  std::uint32_t remaining_ms = 0;
  std::uint64_t roster_version = 0;
  template <class A>
  void fields(A& a) {
    a(nonce, term, holder, remaining_ms, roster_version);
  }
};

// The holder (or a losing candidate) gives its grants back.
struct Release {
  static constexpr std::uint64_t kType = 35;  // on the wire
  Term term;
  std::optional<TillId> successor;
  template <class A>
  void fields(A& a) {
    a(term, successor);
  }
};

// Grants worth a strict majority of a roster's votes, the candidate's own (its request) among them: anyone with the
// roster can check it, offline.
struct Certificate {
  struct Signed {
    TillId grantor;
    Binary signature;
    template <class A>
    void fields(A& a) {
      a(grantor, signature);
    }
  };
  Ballot ballot;
  std::vector<Signed> grants;  // sorted by grantor
  template <class A>
  void fields(A& a) {
    a(ballot, grants);
  }

  bool valid_for(const Roster& roster) const;
};

// What anyone can check offline: a lease, and the roster that it was granted under.
struct LeaseProof {
  Roster roster;
  Certificate certificate;
  template <class A>
  void fields(A& a) {
    a(roster, certificate);
  }
};

// "I host": sent to every connected till at each renewal. An exclusive lease shows its certificate once in a term and
// version of the roster, to the cloud as well, and is then only said to be renewed; without either it is provisional.
struct Announce {
  static constexpr std::uint64_t kType = 36;  // on the wire
  Term term;
  std::uint32_t remaining_ms = 0;
  std::uint32_t fitness = 0;
  std::optional<Certificate> certificate;
  bool renewed = false;
  template <class A>
  void fields(A& a) {
    a(term, remaining_ms, fitness, certificate, renewed);
  }
};

// A grantor's two signatures under one term for two candidates: it lies, or was cloned. Anyone with the roster can
// check it; whoever comes upon it tells everybody.
struct TwoGrants {
  static constexpr std::uint64_t kType = 37;  // on the wire
  TillId grantor;
  Ballot first, second;
  Binary first_signature, second_signature;
  template <class A>
  void fields(A& a) {
    a(grantor, first, second, first_signature, second_signature);
  }

  bool proves(const Roster& roster) const;
};

using LeaseMessage = std::variant<PreVote, PreVoteReply, RequestGrant, Grant, Deny, Release, Announce>;

}  // namespace tillsync
