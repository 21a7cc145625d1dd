// What a voter may promise after a start.
#include <doctest/doctest.h>

#include "lease/grantor.hpp"
#include "storage/base/pack.hpp"

using namespace tillsync;

TEST_CASE("who does not know what it promised refuses everybody, itself too, until a promise has run out") {
  const Instant start{std::chrono::hours(1)};
  const Promise unknown{Term{}, TillId{"till-1"}, 3000};
  REQUIRE(unpack<Promise>(pack(unknown)) == unknown);  // as `recover` leaves it behind
  const Grantor grantor(unknown, start);
  for (const char* name : {"till-1", "till-2"}) {
    Ballot ballot;
    ballot.term = Term{7};
    ballot.candidate = TillId{name};
    ballot.duration_ms = 3000;
    CHECK(grantor.refusal(start, ballot));
    CHECK(grantor.refusal(start + milliseconds(3029), ballot));
    CHECK_FALSE(grantor.refusal(start + milliseconds(3031), ballot));
  }
}
