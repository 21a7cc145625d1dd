// Who may send what to a cloud: admission alone.
#include <doctest/doctest.h>

#include "engine/cloud/admission.hpp"
#include "tests/unit/keys.hpp"

using namespace tillsync;
using test::key_number;

namespace {

constexpr PeerId kTill{1}, kHelper{2}, kManager{3};

struct Door {
  Roster roster;
  Admission admission;
  CloudActions out;

  explicit Door(RateLimits limits = {}) : admission(limits) {
    roster.keys = TenantKeys::founded(key_number(200).public_key(), key_number(201).public_key());
    roster.branch = BranchId{"north"};
    roster.add({TillId{"till-1"}, Binary(key_number(1).public_key().view()), Role::till, 1});
    roster.add({TillId{"helper"}, Binary(key_number(2).public_key().view()), Role::support, 0});
    roster.add({TillId{"boss"}, Binary(key_number(3).public_key().view()), Role::manager, 0});
    roster.sign(key_number(200));
    CHECK(admission.take(roster, out));
    admission.add(kTill, {branch(), TillId{"till-1"}, kBusySince}, out);
    admission.add(kHelper, {branch(), TillId{"helper"}, kBusySince}, out);
    admission.add(kManager, {branch(), TillId{"boss"}, kBusySince}, out);
    out = {};
  }
  BranchKey branch() const { return {roster.keys.id(), roster.branch}; }
  std::optional<VerifiedPush> push(PeerId from, const std::string& author, std::uint8_t key, std::size_t bytes = 10) {
    Push push{{TillId{author}, Incarnation{9}}, Seq{1}, {Binary(Bytes(bytes, 'x'))}, {}};
    push.signature =
        Binary(key_number(key).sign(push_bytes(roster.branch, push.chain.id(), {Seq{1}, blake2b(push.ops.back())})));
    return admission.admit_push({}, from, std::move(push), true, out);
  }
  std::uint64_t refused(Refused why) {
    const auto& counts = admission.refusals().counts();
    const auto it = counts.find({branch(), why});
    return it == counts.end() ? 0 : it->second;
  }
};

}  // namespace

TEST_CASE("a till's key may push, support's only what settles conflicts, and a manager's nothing") {
  Door door;
  const auto till = door.push(kTill, "till-1", 1);
  REQUIRE(till);
  CHECK_FALSE(till->settles_only);
  CHECK(till->read_as == 1);
  CHECK(door.out.to_read.size() == 1);
  const auto helper = door.push(kHelper, "helper", 2);
  REQUIRE(helper);
  CHECK(helper->settles_only);
  CHECK(helper->read_as == 2);
  CHECK(door.out.hang_up.empty());
  CHECK_FALSE(door.push(kManager, "boss", 3));
  CHECK(door.refused(Refused::not_allowed) == 1);
  CHECK(door.out.hang_up == std::vector{kManager});
}

TEST_CASE("a push that another signed, or of nobody in the roster, ends the connection that brings it") {
  Door door;
  CHECK_FALSE(door.push(kTill, "till-1", 2));
  CHECK(door.refused(Refused::bad_signature) == 1);
  CHECK_FALSE(door.push(kTill, "till-9", 1));
  CHECK(door.refused(Refused::not_in_roster) == 1);
  CHECK(door.out.hang_up == std::vector{kTill, kTill});
  CHECK(door.out.to_read.empty());
}

TEST_CASE("who sends more than its share hears when to come back, and stays connected") {
  RateLimits limits;
  limits.till_bytes = {100, 1000};
  Door door(limits);
  CHECK(door.push(kTill, "till-1", 1, 1000));
  CHECK_FALSE(door.push(kTill, "till-1", 1, 500));
  REQUIRE(door.out.sends.size() == 1);
  CHECK(std::get<Busy>(door.out.sends[0].message).after_ms > 4000);
  CHECK(door.out.hang_up.empty());
  CHECK(door.refused(Refused::too_fast) == 1);
}

TEST_CASE("a member that the newer roster has no more is let go, the others get it; an older one is no news") {
  Door door;
  Roster newer = door.roster;
  newer.version = 2;
  std::erase_if(newer.members, [](const Member& m) { return m.name == TillId{"helper"}; });
  newer.sign(key_number(200));
  CHECK(door.admission.take(newer, door.out));
  CHECK(door.out.hang_up == std::vector{kHelper});
  CHECK(door.out.sends.size() == 2);
  CHECK_FALSE(door.admission.take(door.roster, door.out));
  CHECK(door.admission.roster_of(door.branch())->version == 2);
}

TEST_CASE("a message that is ignored is named once for each member and reason, and counted each time") {
  Door door;
  for (int i = 0; i < 3; ++i) door.admission.ignore(kTill, "no sense in it", Refused::bad_signature, door.out);
  door.admission.ignore(kHelper, "no sense in it", Refused::bad_signature, door.out);
  CHECK(door.out.notices.size() == 2);
  CHECK(door.refused(Refused::bad_signature) == 4);
}
