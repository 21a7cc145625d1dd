// Rosters and certificates: as they come, and signed, so that what lies behind the signature is reached.
#include "lease/messages.hpp"
#include "storage/base/pack.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace tillsync;

namespace {

SecretKey key(std::uint8_t n) { return SecretKey::from_seed({n, 5}); }

Roster shop() {
  Roster roster;
  roster.tenant = "Fuzz";
  roster.keys = TenantKeys::founded(key(1).public_key(), key(2).public_key());
  roster.branch = BranchId{"main"};
  for (std::uint8_t i = 1; i <= 3; ++i)
    roster.add({TillId{"till-" + std::to_string(i)}, Binary(key(10 + i).public_key().view()), Role::till, 1});
  roster.sign(key(1));
  return roster;
}

void look_at_roster(ByteView bytes) {
  static const Roster ours = shop();
  if (const auto roster = Roster::decode(bytes)) {
    fuzz::require(Roster::decode(roster->encoded()).has_value(), "a roster that is refused when it is passed on");
    Roster mine = ours;
    if (mine.take(*roster)) fuzz::require(mine.keys.id() == ours.keys.id(), "a roster of another tenant was taken");
  }
  auto unsigned_one = unpack<Roster>(bytes);
  if (!unsigned_one) return;
  unsigned_one->keys = ours.keys;
  if (unsigned_one->members.size() > 20) unsigned_one->members.resize(20);
  unsigned_one->sign(key(1));
  const auto taken = Roster::decode(unsigned_one->encoded());
  if (!taken) return;
  (void)taken->quorum(), (void)taken->majority(), (void)taken->cloud(), (void)taken->total_votes();
  fuzz::require(taken->members.size() <= Roster::kMaxMembers && taken->lease_ms >= Roster::kMinLeaseMs &&
                    taken->lease_ms <= Roster::kMaxLeaseMs,
                "a roster out of bounds was taken");
  Roster mine = ours;
  mine.take(*taken);
}

// With one key a stranger can't have: nobody may get a majority without two tills' signatures.
void look_at_certificate(ByteView bytes) {
  static const Roster ours = shop();
  if (const auto certificate = unpack<Certificate>(bytes)) {
    fuzz::require(!certificate->valid_for(ours), "a certificate that nobody signed");
    Certificate by_one = *certificate;
    for (auto& grant : by_one.grants) grant.signature = Binary(key(11).sign(by_one.ballot.grant_bytes(grant.grantor)));
    fuzz::require(!by_one.valid_for(ours), "one till made a lease alone");
  }
  if (const auto evidence = unpack<TwoGrants>(bytes))
    fuzz::require(!evidence->proves(ours), "evidence that nobody signed");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(reinterpret_cast<const char*>(data), size);
  look_at_roster(bytes);
  look_at_certificate(bytes);
  return 0;
}
