// What a cloud checks of a lease message before its transaction: the desk alone.
#include <doctest/doctest.h>

#include "engine/cloud/lease_desk.hpp"
#include "tests/unit/keys.hpp"

using namespace tillsync;
using test::key_number;

namespace {

struct Desk {
  Roster roster;
  LeaseDesk desk{key_number(9)};
  TillId till{"till-1"};

  explicit Desk(std::uint32_t cloud_votes = 1) {
    roster.keys = TenantKeys::founded(key_number(200).public_key(), key_number(201).public_key());
    roster.branch = BranchId{"corner"};
    roster.add({till, Binary(key_number(1).public_key().view()), Role::till, 1});
    roster.add({TillId{"watcher"}, Binary(key_number(2).public_key().view()), Role::till, 0});
    roster.add({TillId{"cloud"}, Binary(key_number(9).public_key().view()), Role::cloud, cloud_votes});
    roster.sign(key_number(200));
  }
  Ballot ballot(std::uint64_t term, const TillId& candidate) const {
    return {roster.branch, Term{term}, candidate, 7, roster.lease_ms, 0, roster.version};
  }
  Message request(std::uint64_t term, std::uint8_t key) const {
    const Ballot b = ballot(term, till);
    return RequestGrant{b, Binary(key_number(key).sign(b.grant_bytes(till)))};
  }
  Certificate certificate(std::uint64_t term) const {
    Certificate out{ballot(term, till), {}};
    for (const auto& [name, key] : {std::pair{TillId{"cloud"}, 9}, {till, 1}})
      out.grants.push_back(
          {name, Binary(key_number(static_cast<std::uint8_t>(key)).sign(out.ballot.grant_bytes(name)))});
    return out;
  }
};

}  // namespace

TEST_CASE("a request for the cloud's vote goes on when the candidate signed it, and only where the cloud votes") {
  Desk desk;
  const auto sound = desk.desk.take(desk.roster, desk.till, desk.request(1, 1));
  REQUIRE(sound.ask);
  CHECK(sound.ask->self == TillId{"cloud"});
  const auto forged = desk.desk.take(desk.roster, desk.till, desk.request(1, 2));
  CHECK_FALSE(forged.ask);
  CHECK(std::string(forged.fault) == "a request with a wrong signature");
  Desk without(0);
  const auto unasked = without.desk.take(without.roster, without.till, without.request(1, 1));
  CHECK_FALSE(unasked.ask);
  CHECK(unasked.fault == nullptr);
}

TEST_CASE("who has no vote, or speaks for another, is no candidate") {
  Desk desk;
  const auto voteless = desk.desk.take(desk.roster, TillId{"watcher"}, PreVote{desk.ballot(1, TillId{"watcher"})});
  CHECK(std::string(voteless.fault) == "a ballot of one who has no vote");
  const auto other = desk.desk.take(desk.roster, TillId{"watcher"}, PreVote{desk.ballot(1, desk.till)});
  CHECK(std::string(other.fault) == "a ballot in another's name");
  const auto stranger = desk.desk.take(desk.roster, TillId{"till-9"}, PreVote{desk.ballot(1, TillId{"till-9"})});
  CHECK(std::string(stranger.fault) == "it is no till of the branch");
}

TEST_CASE("a new leader is asked about once and known at once; its renewals need no transaction") {
  Desk desk;
  const BranchKey branch{desk.roster.keys.id(), desk.roster.branch};
  CHECK(desk.desk.leader(branch) == nullptr);
  CHECK(desk.desk.take(desk.roster, desk.till, Announce{Term{3}, 0, 0, desk.certificate(3)}).ask);
  REQUIRE(desk.desk.leader(branch) != nullptr);
  CHECK(desk.desk.leader(branch)->ballot.term == Term{3});
  CHECK_FALSE(desk.desk.take(desk.roster, desk.till, Announce{Term{3}, 0, 0, desk.certificate(3)}).ask);
  CHECK(desk.desk.take(desk.roster, desk.till, Announce{Term{4}, 0, 0, desk.certificate(4)}).ask);
}

TEST_CASE("a command under a certificate that does not hold is answered with what is wrong") {
  Desk desk;
  Command command;
  command.nonce = 42;
  command.certificate = desk.certificate(3);
  CHECK(desk.desk.take(desk.roster, desk.till, command).ask);
  command.certificate.grants.pop_back();
  const auto refused = desk.desk.take(desk.roster, desk.till, command);
  CHECK_FALSE(refused.ask);
  REQUIRE(refused.answer);
  CHECK(std::get<Commanded>(*refused.answer).nonce == 42);
  CHECK(std::get<Commanded>(*refused.answer).refusal == "a certificate that does not hold");
}
