// A new till joins with a one-time code: Noise XXpsk3, the code stretched by Argon2id (RFC 9106) as its key. Whoever
// does not know the code learns nothing and gets five tries in ten minutes. The joiner proves its Ed25519 key by its
// X25519 form.
#pragma once

#include <functional>
#include <string>

#include "lease/roster.hpp"
#include "transport/net/links.hpp"

namespace tillsync {

constexpr int kPairTries = 5;
constexpr Duration kPairTime = std::chrono::minutes(10);

// 60 bits as twelve characters without the ones that people mix up: "7KQ2-M9TD-4XWB".
std::string fresh_pair_code();

struct PairRequest {
  BranchId branch;
  TillId till;
  Binary key;  // Ed25519
  template <class A>
  void fields(A& a) {
    a(branch, till, key);
  }
};

struct PairGrant {
  Binary roster;
  std::string cloud;    // its address, if there is one
  std::string refusal;  // instead: one sentence
  template <class A>
  void fields(A& a) {
    a(roster, cloud, refusal);
  }
};

// Waits for one till that knows the code; `grant` decides and makes the roster that names it. Errors: timed_out,
// refused (too many wrong codes), or what listening says. `limit` is for tests.
Result<PairRequest> invite(const Address& listen, const std::string& code,
                           const std::function<PairGrant(const PairRequest&)>& grant,
                           const std::function<void(std::uint16_t port)>& on_listening, Duration limit = kPairTime);

// Errors: refused (wrong code, or the other side's sentence), timed_out.
Result<PairGrant> join(const Address& at, const std::string& code, const PairRequest& request, const SecretKey& key);

}  // namespace tillsync
