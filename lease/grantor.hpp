// One till's promises: at most one candidate at a time, terms only rise, durable before a grant is sent.
#pragma once

#include <algorithm>
#include <optional>
#include <tillsync/time.hpp>

#include "lease/messages.hpp"

namespace tillsync {

struct Promise {
  Term term;
  TillId holder;
  std::uint32_t duration_ms = 0;
  bool operator==(const Promise&) const = default;
  template <class A>
  void fields(A& a) {
    a(term, holder, duration_ms);
  }
};

// Clocks are assumed to drift less than 1 %: a promise is held that much longer, a lease believed that much shorter.
constexpr Duration promise_time(std::uint32_t lease_ms) { return milliseconds(lease_ms) * 101 / 100; }
constexpr Duration lease_time(std::uint32_t lease_ms) { return milliseconds(lease_ms) * 99 / 100; }

// A time left, as messages carry it.
inline std::uint32_t left_ms(Duration left) {
  return static_cast<std::uint32_t>(std::max<std::int64_t>(0, to_ms(left)));
}

// Why a candidate can't have a promise now; nothing when it can.
struct Refusal {
  Term term;
  TillId holder;
  Duration remaining{};
};
std::optional<Refusal> refusal_of(const Promise& promise, Instant bound_until, Instant now, const Ballot& ballot);

class Grantor {
 public:
  // After a restart nobody new is promised anything for the longest time that the stored promise may still bind.
  Grantor(std::optional<Promise> stored, Instant now);

  // Changes nothing.
  std::optional<Refusal> refusal(Instant now, const Ballot& ballot) const;

  // Binds the promise from now on. True when it must be made durable before the grant is sent: the first in
  // this term.
  bool promise(Instant now, const Ballot& ballot);
  void release(Instant now, Term term, const TillId& holder);

  const Promise& current() const { return promise_; }
  Instant bound_until() const { return std::max(until_, blocked_until_); }

 private:
  Promise promise_;
  Instant until_{};          // the promise binds until then
  Instant blocked_until_{};  // after a restart
};

}  // namespace tillsync
