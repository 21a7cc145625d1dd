// The tenant's keys over the years: rotation, theft, recovery, and what the cloud may do with a delegated key.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

#include "lease/roster.hpp"
#include "storage/base/pack.hpp"
#include "storage/base/random.hpp"
#include "tests/unit/keys.hpp"

using namespace tillsync;
using test::key_number;

namespace {

Binary public_of(std::uint8_t n) { return Binary(key_number(n).public_key().view()); }

constexpr std::uint8_t kSigning = 1, kRecovery = 2, kCloud = 3, kTill = 10;

Roster founded() {
  Roster roster;
  roster.keys = TenantKeys::founded(key_number(kSigning).public_key(), key_number(kRecovery).public_key());
  roster.branch = BranchId{"corner"};
  roster.pairing_key = public_of(kCloud);
  roster.add({TillId{"cloud"}, public_of(kCloud), Role::cloud, 0});
  for (std::uint8_t i = 0; i < 3; ++i) roster.add({TillId{"till-" + std::to_string(i)}, public_of(kTill + i)});
  roster.sign(key_number(kSigning));
  return roster;
}

Roster next_of(Roster roster, const SecretKey& signing) {
  ++roster.version;
  roster.sign(signing);
  return roster;
}

bool sound(const Roster& roster) { return Roster::decode(roster.encoded()).has_value(); }

// As `tillsync roster recover` does it.
Roster recovered(Roster roster, const SecretKey& recovery, const SecretKey& next, const SecretKey& next_recovery) {
  REQUIRE(roster.keys.recover(recovery, next, next_recovery.public_key()));
  roster.version = roster.epoch = roster.keys.era() * Roster::kPerEra;
  roster.frozen = true;
  roster.sign(next);
  return roster;
}

}  // namespace

TEST_CASE("a rotated key is followed by whoever knew the old one, and the old one signs nothing any more") {
  const Roster first = founded();
  const SecretKey old_key = key_number(kSigning), new_key = key_number(4);
  Roster second = first;
  REQUIRE(second.keys.rotate(old_key, new_key));
  CHECK_FALSE(second.keys.rotate(old_key, key_number(5)));
  second = next_of(second, new_key);
  REQUIRE(sound(second));
  CHECK(second.keys.id() == first.keys.id());

  Roster till = first;
  CHECK(till.take(*Roster::decode(second.encoded())));
  const Roster by_old_key = next_of(next_of(next_of(first, old_key), old_key), old_key);
  REQUIRE(sound(by_old_key));  // for somebody who heard nothing of the rotation
  CHECK_FALSE(till.take(by_old_key));
  CHECK(till.version == second.version);

  Roster claimed = second;  // the new chain, signed with the old key
  claimed = next_of(claimed, old_key);
  CHECK_FALSE(sound(claimed));
  Roster stranger = founded();
  stranger.keys = TenantKeys::founded(new_key.public_key(), new_key.public_key());
  stranger = next_of(next_of(stranger, new_key), new_key);
  REQUIRE(sound(stranger));
  CHECK_FALSE(till.take(stranger));
}

TEST_CASE("a change of keys needs both signatures, and only the recovery key changes the recovery key") {
  Roster good = founded();
  REQUIRE(good.keys.rotate(key_number(kSigning), key_number(4)));
  REQUIRE(good.keys.recover(key_number(kRecovery), key_number(5), key_number(6).public_key()));
  REQUIRE(good.keys.valid());
  const auto changed = [&](const std::function<void(KeyChange&, KeyChange&)>& edit) {
    TenantKeys keys = good.keys;
    const auto reach_in = [&](std::vector<KeyChange>& history) { edit(history[1], history[2]); };
    keys.fields(reach_in);
    return keys.valid();
  };
  CHECK(changed([](KeyChange&, KeyChange&) {}));
  CHECK_FALSE(changed([](KeyChange& a, KeyChange&) { a.by_former.clear(); }));
  CHECK_FALSE(changed([](KeyChange& a, KeyChange&) { a.by_new = a.by_former; }));
  CHECK_FALSE(changed([](KeyChange& a, KeyChange&) { a.recovery = public_of(7); }));
  CHECK_FALSE(changed([](KeyChange&, KeyChange& b) { b.recovered = false; }));
  CHECK_FALSE(changed([](KeyChange& a, KeyChange& b) { std::swap(a, b); }));

  TenantKeys thiefs = founded().keys;  // who signs, soundly, that the recovery key is his too
  const auto claim = [](std::vector<KeyChange>& history) {
    const SecretKey stolen = key_number(kSigning), his = key_number(66);
    Packed<KeyChange> what{history};
    what.all.push_back({Binary(his.public_key().view()), Binary(his.public_key().view()), false, {}, {}});
    history = what.all;
    const Bytes bytes = "tillsync keys 1:" + pack(what);
    history.back().by_former = Binary(stolen.sign(bytes));
    history.back().by_new = Binary(his.sign(bytes));
  };
  thiefs.fields(claim);
  CHECK_FALSE(thiefs.valid());
}

TEST_CASE("whatever a thief signs with the stolen key, after a recovery all who hear of it follow the owner") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    const Roster first = founded();
    std::vector<Roster> shop(5, first);  // what each till holds
    Roster owner = first, thief = first;
    SecretKey owners = key_number(kSigning), thiefs = owners;
    std::vector<Roster> signed_rosters;
    for (int step = 0; step < 20; ++step) {
      const SecretKey fresh = key_number(static_cast<std::uint8_t>(100 + step));
      const bool rotates = random.below(3) == 0;
      switch (random.below(3)) {
        case 0:
          if (rotates && owner.keys.rotate(owners, fresh)) owners = fresh;
          signed_rosters.push_back(owner = next_of(owner, owners));
          break;
        case 1:
          if (rotates && thief.keys.rotate(thiefs, fresh)) thiefs = fresh;
          if (random.below(4) == 0) thief.version = Roster::kPerEra - 100 + thief.version % 50;
          if (random.below(4) == 0) thief.epoch = Roster::kPerEra - 1;
          signed_rosters.push_back(thief = next_of(thief, thiefs));
          break;
        default:
          for (int i = 0; i < 3 && !signed_rosters.empty(); ++i)
            (void)shop[random.below(5)].take(signed_rosters[random.below(signed_rosters.size())]);
      }
    }
    for (const Roster& each : signed_rosters) REQUIRE(sound(each));
    const SecretKey saved = key_number(90);
    const Roster truth = recovered(owner, key_number(kRecovery), saved, key_number(91));
    REQUIRE(sound(truth));
    (void)shop[random.below(5)].take(truth);
    for (std::size_t round = 0; round < 400; ++round) {  // gossip, with the thief's rosters coming up again
      if (round % 7 == 0 && !signed_rosters.empty())
        (void)shop[random.below(5)].take(signed_rosters[random.below(signed_rosters.size())]);
      const Roster heard = shop[random.below(5)];
      (void)shop[random.below(5)].take(heard);
    }
    for (const Roster& each : shop) CHECK(each.signature == truth.signature);
    const Roster beyond = next_of(thief, thiefs);
    Roster above = beyond;  // not even with a number of the new era
    above.version = truth.version + 1;
    above.sign(thiefs);
    CHECK_FALSE(sound(above));
  }
}

TEST_CASE("the delegated key lets tills join, without a vote, until the tenant's next version") {
  const Roster base = founded();
  const SecretKey cloud = key_number(kCloud);
  Roster one = base, two = base;
  one.join(TillId{"till-7"}, public_of(kTill + 7), cloud);
  two.join(TillId{"till-8"}, public_of(kTill + 8), cloud);
  two.join(TillId{"till-9"}, public_of(kTill + 9), cloud);
  REQUIRE(sound(one));
  REQUIRE(sound(two));
  CHECK(one.total_votes() == base.total_votes());

  Roster left = one, right = two;
  CHECK(left.take(two));
  CHECK(right.take(one));
  CHECK(left.encoded() == right.encoded());
  CHECK_FALSE(left.take(base));
  CHECK(left.members.size() == 7);

  const auto forged = [&](const std::function<void(Member&)>& edit) {
    Roster roster = one;
    edit(*std::ranges::find_if(roster.members, [](const Member& m) { return m.name.text == "till-7"; }));
    return sound(roster);
  };
  CHECK(forged([](Member&) {}));
  CHECK_FALSE(forged([](Member& m) { m.votes = 1; }));
  CHECK_FALSE(forged([](Member& m) { m.role = Role::manager; }));
  CHECK_FALSE(forged([](Member& m) { m.key = public_of(99); }));
  CHECK_FALSE(forged([](Member& m) { m.name.text = "till-7x"; }));
  CHECK_FALSE(forged([](Member& m) { m.joined.clear(); }));
  Roster by_stranger = base;
  by_stranger.join(TillId{"till-7"}, public_of(kTill + 7), key_number(77));
  CHECK_FALSE(sound(by_stranger));

  Roster next = next_of(base, key_number(kSigning));  // leaves all three out
  CHECK(left.take(next));
  CHECK(left.find(TillId{"till-7"}) == nullptr);
  Roster again = next;  // with the old signature
  again.add(*one.find(TillId{"till-7"}));
  CHECK_FALSE(sound(again));
  Roster kept = next_of(right, key_number(kSigning));  // or takes them in
  CHECK(sound(kept));
  CHECK(kept.find(TillId{"till-8"})->joined.empty());
}

TEST_CASE("two tills that joined under one name at two clouds: one of them stays, the same one everywhere") {
  Roster one = founded(), two = one;
  one.join(TillId{"till-7"}, public_of(50), key_number(kCloud));
  two.join(TillId{"till-7"}, public_of(51), key_number(kCloud));
  Roster left = one, right = two;
  (void)left.take(two);
  (void)right.take(one);
  CHECK(left.encoded() == right.encoded());
  CHECK(sound(left));
}
