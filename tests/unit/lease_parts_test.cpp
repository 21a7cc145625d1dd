// The parts that an election is made of, each by itself. How they act together is in tests/lease.
#include <doctest/doctest.h>

#include "lease/announcer.hpp"
#include "lease/attempts.hpp"
#include "lease/candidacy.hpp"
#include "lease/electorate.hpp"
#include "lease/fitness_ranking.hpp"
#include "lease/voter.hpp"

using namespace tillsync;

namespace {

const TillId kOne{"till-1"}, kTwo{"till-2"}, kThree{"till-3"}, kFour{"till-4"}, kFive{"till-5"}, kCloud{"cloud"};
const Instant kStart{std::chrono::hours(1)};

SecretKey key_of(std::uint8_t n) {
  std::array<std::uint8_t, 32> seed{};
  seed[0] = n;
  return SecretKey::from_seed(seed);
}

Roster five_tills() {
  Roster roster;
  roster.branch = BranchId{"market"};
  for (std::uint8_t i = 1; i <= 5; ++i)
    roster.add({TillId{"till-" + std::to_string(i)}, Binary(key_of(i).public_key().view()), Role::till, 1});
  roster.add({kCloud, Binary(key_of(9).public_key().view()), Role::cloud, 0});
  return roster;
}

Ballot ballot_of(const TillId& candidate, std::uint64_t term, std::uint64_t nonce = 7) {
  return {BranchId{"market"}, Term{term}, candidate, nonce, 3000, 0, 1};
}

LeaseView exclusive(const TillId& host, std::uint64_t term, Instant until) {
  return {LeaseKind::exclusive, host, Term{term}, kStart, until};
}

}  // namespace

TEST_CASE("a candidacy has a majority when the votes of three in five are collected, its own among them") {
  const Roster roster = five_tills();
  Candidacy candidacy;
  candidacy.pre_vote(kStart, ballot_of(kOne, 4));
  candidacy.count_pre_vote(kTwo);
  CHECK_FALSE(candidacy.has_majority(roster));
  candidacy.count_pre_vote(kCloud);  // it has no vote
  CHECK_FALSE(candidacy.has_majority(roster));
  candidacy.count_pre_vote(kThree);
  CHECK(candidacy.has_majority(roster));

  candidacy.request(kStart, ballot_of(kOne, 4, 8));
  CHECK_FALSE(candidacy.has_majority(roster));  // a pre-vote is no grant
  candidacy.count_grant(kTwo, Binary("two"));
  candidacy.count_grant(kThree, Binary("three"));
  CHECK_FALSE(candidacy.has_majority(roster));
  candidacy.sent(Binary("one"), true);
  CHECK(candidacy.has_majority(roster));
  CHECK(candidacy.certificate().ballot == ballot_of(kOne, 4, 8));
  CHECK(candidacy.certificate().grants.size() == 3);
  CHECK(candidacy.certificate().grants[0].grantor == kOne);
}

TEST_CASE("a denial ends a candidacy only when those who have not denied are too few, and takes a grant back") {
  const Roster roster = five_tills();
  const std::set<TillId> connected{kTwo, kThree, kFour, kCloud};
  Candidacy candidacy;
  candidacy.request(kStart, ballot_of(kOne, 4));
  candidacy.sent(Binary("one"), true);
  candidacy.count_grant(kTwo, Binary("two"));
  candidacy.count_denial(kTwo);
  CHECK(candidacy.majority_possible(roster, connected));
  candidacy.count_grant(kThree, Binary("three"));
  CHECK_FALSE(candidacy.has_majority(roster));
  candidacy.count_denial(kThree);
  CHECK_FALSE(candidacy.majority_possible(roster, connected));
}

TEST_CASE(
    "a request that went to some voters goes to the rest once, a sixth of the lease later; after a third it has "
    "failed") {
  Candidacy candidacy;
  CHECK(candidacy.next_wake() == Instant{Duration::max()});
  candidacy.request(kStart, ballot_of(kOne, 4));
  CHECK_FALSE(candidacy.request_sent());
  CHECK_FALSE(candidacy.for_the_rest());  // the own promise is not durable: nobody hears of the request
  candidacy.sent(Binary("one"), false);
  CHECK(candidacy.request_sent());
  CHECK(candidacy.next_wake() == kStart + milliseconds(500));
  CHECK_FALSE(candidacy.rest_is_due(kStart + milliseconds(499)));
  CHECK(candidacy.rest_is_due(kStart + milliseconds(500)));
  const auto request = candidacy.for_the_rest();
  REQUIRE(request);
  CHECK(request->signature == Binary("one"));
  CHECK_FALSE(candidacy.for_the_rest());
  CHECK(candidacy.next_wake() == kStart + milliseconds(1000));
  CHECK(candidacy.has_failed(kStart + milliseconds(1000)));
  candidacy.stop();
  CHECK_FALSE(candidacy.has_failed(kStart + milliseconds(1000)));
  CHECK(candidacy.ballot() == ballot_of(kOne, 4));  // late grants are told apart by it
}

TEST_CASE("a voter lets no grant leave before its promise is durable, and promises nobody else meanwhile") {
  Voter voter(kTwo, key_of(2), std::nullopt, kStart);
  const Ballot ballot = ballot_of(kOne, 4);
  const auto first = voter.on_request(kStart, ballot, std::nullopt, 1);
  CHECK(first.promise == Promise{Term{4}, kOne, 3000});
  CHECK_FALSE(first.message);
  CHECK(voter.storing());
  const auto meanwhile = voter.on_request(kStart, ballot_of(kThree, 5), std::nullopt, 1);
  REQUIRE(meanwhile.denied);
  CHECK(std::get<Deny>(*meanwhile.message).holder == kOne);
  CHECK(voter.on_durable() == ballot);
  CHECK_FALSE(voter.on_durable());
  const auto again = voter.on_request(kStart, ballot, std::nullopt, 1);  // a renewal: stored already
  CHECK_FALSE(again.promise);
  REQUIRE(again.message);
  const Grant grant = std::get<Grant>(*again.message);
  CHECK(key_of(2).public_key().verify(ballot.grant_bytes(kTwo), grant.signature));
}

TEST_CASE("a voter answers a pre-vote with the time for which a promise or a living host stands in the way") {
  Voter voter(kTwo, key_of(2), std::nullopt, kStart);
  const Ballot ballot = ballot_of(kOne, 9);
  CHECK(voter.on_pre_vote(kStart, ballot, Term{3}, std::nullopt, 1).granted);
  CHECK(voter.on_pre_vote(kStart, ballot, Term{3}, std::nullopt, 1).term == Term{3});
  CHECK_FALSE(voter.on_pre_vote(kStart, ballot, Term{3}, std::nullopt, 2).granted);  // of another roster
  const Refusal host{Term{8}, kThree, milliseconds(700)};
  const auto hosted = voter.on_pre_vote(kStart, ballot, Term{3}, host, 1);
  CHECK_FALSE(hosted.granted);
  CHECK(hosted.remaining_ms == 700);
  (void)voter.promise(kStart, ballot_of(kThree, 8));
  const auto bound = voter.on_pre_vote(kStart + milliseconds(30), ballot, Term{3}, host, 1);
  CHECK(bound.remaining_ms == 3000);
  CHECK(bound.term == Term{8});
  voter.release(kStart + milliseconds(30), Term{8}, kThree);
  CHECK(voter.on_pre_vote(kStart + milliseconds(30), ballot, Term{3}, std::nullopt, 1).granted);
}

TEST_CASE("a lease counts for nothing once it has run out, dropped or not, and its certificate goes with it") {
  HostView host(kOne);
  const Instant end = kStart + milliseconds(3000);
  host.take(exclusive(kOne, 4, end), Certificate{ballot_of(kOne, 4), {}});
  host.renew_at(kStart + milliseconds(1800));
  CHECK(host.hosts(end - milliseconds(1)));
  CHECK(host.next_wake() == kStart + milliseconds(1800));
  CHECK_FALSE(host.hosts(end));
  CHECK(host.at(end).kind == LeaseKind::none);
  CHECK(host.ran_out(end));
  host.drop();
  CHECK_FALSE(host.ran_out(end));
  CHECK_FALSE(host.certificate());
  CHECK(host.next_wake() == Instant{Duration::max()});
}

TEST_CASE(
    "an exclusive host that is alive stands in the way of every candidate but itself; a renewal keeps since when") {
  HostView host(kOne);
  const Instant end = kStart + milliseconds(3000);
  host.take(exclusive(kTwo, 4, end), std::nullopt);
  LeaseView renewed = exclusive(kTwo, 5, end + milliseconds(1800));
  renewed.since = kStart + milliseconds(1800);
  host.take(renewed, std::nullopt);
  CHECK(host.lease().since == kStart);
  const auto refusal = host.live_host_besides(kThree, end);
  REQUIRE(refusal);
  CHECK(refusal->holder == kTwo);
  CHECK(refusal->remaining == milliseconds(1800));
  CHECK_FALSE(host.live_host_besides(kTwo, end));
  CHECK_FALSE(host.live_host_besides(kThree, end + milliseconds(1800)));
  host.take({LeaseKind::provisional, kTwo, Term{5}, end, end + milliseconds(3000)}, std::nullopt);
  CHECK_FALSE(host.live_host_besides(kThree, end));
  CHECK(host.lease().since == end);
}

TEST_CASE("a peer is shown the certificate once in a term and roster version, and again when it may have missed it") {
  HostView host(kOne);
  host.take(exclusive(kOne, 4, kStart + milliseconds(3000)), Certificate{ballot_of(kOne, 4), {}});
  Announcer announcer;
  CHECK(announcer.announcement(kStart, kTwo, host, 6).certificate);
  const Announce second = announcer.announcement(kStart + milliseconds(100), kTwo, host, 6);
  CHECK_FALSE(second.certificate);
  CHECK(second.renewed);
  CHECK(second.remaining_ms == 2900);
  CHECK(second.fitness == 6);
  CHECK_FALSE(announcer.show_again(kStart + milliseconds(499), kTwo, milliseconds(500)));
  CHECK(announcer.show_again(kStart + milliseconds(500), kTwo, milliseconds(500)));
  CHECK(announcer.announcement(kStart + milliseconds(500), kTwo, host, 6).certificate);
  Certificate of_next_version{ballot_of(kOne, 4), {}};
  of_next_version.ballot.roster_version = 2;
  host.take(exclusive(kOne, 4, kStart + milliseconds(3000)), of_next_version);
  CHECK(announcer.announcement(kStart + milliseconds(600), kTwo, host, 6).certificate);
  host.take({LeaseKind::provisional, kOne, Term{4}, kStart, kStart + milliseconds(3000)}, std::nullopt);
  const Announce provisional = announcer.announcement(kStart, kTwo, host, 6);
  CHECK_FALSE(provisional.certificate);
  CHECK_FALSE(provisional.renewed);
}

TEST_CASE("candidates rank by fitness, then by name") {
  FitnessRanking fitness;
  fitness.report(kThree, 2);
  fitness.report(kTwo, 1);
  CHECK(fitness.fitter(kThree, kOne));
  CHECK(fitness.fitter(kOne, kFour));
  CHECK_FALSE(fitness.fitter(kOne, kOne));
  CHECK(fitness.rank(kOne, {kTwo, kThree, kFour}) == 2);
  CHECK(fitness.fittest({kFour, kTwo, kThree, kOne}) == kThree);
  CHECK_FALSE(fitness.fittest({}));
}

TEST_CASE("a host hands over to a peer that has been fitter for half a minute on end, never to a mere lower name") {
  FitnessRanking fitness;
  const auto at = [&](int seconds_later) {
    return fitness.successor(kStart + seconds(seconds_later), kTwo, kStart, {kOne, kThree});
  };
  CHECK_FALSE(at(40));  // kOne has the lower name, and is not fitter
  fitness.report(kThree, 1);
  CHECK_FALSE(at(41));
  CHECK_FALSE(at(70));
  fitness.report(kTwo, 1);  // it has caught up in between
  CHECK_FALSE(at(71));
  fitness.report(kTwo, 0);
  CHECK_FALSE(at(72));
  CHECK_FALSE(at(101));
  CHECK(at(102) == kThree);
  CHECK_FALSE(fitness.successor(kStart + seconds(200), kTwo, kStart + seconds(199), {kThree}));  // hosts for a second
}

TEST_CASE("the fitter tills try first, and the longer nobody wins the wider the tries spread") {
  Attempts attempts;
  Random random(1);
  const auto longest = [&](unsigned rank) {
    Duration most{};
    for (int i = 0; i < 500; ++i) most = std::max(most, attempts.patience(rank, random));
    return most;
  };
  CHECK(longest(0) < milliseconds(5 + 8));
  CHECK(longest(2) < milliseconds(5 + 24 + 8));
  for (int i = 0; i < 3; ++i) attempts.on_lost();
  CHECK(longest(0) > milliseconds(5 + 32));
  CHECK(longest(0) < milliseconds(5 + 64));
  attempts.on_host();
  CHECK(longest(0) < milliseconds(5 + 8));
}

TEST_CASE("a denied candidate tries again when the promise in its way has run out, and a named successor at once") {
  Attempts attempts;
  attempts.at(kStart + seconds(9));
  attempts.on_denial(kStart, milliseconds(0), milliseconds(7));
  CHECK(attempts.next() == kStart + seconds(9));
  attempts.on_denial(kStart, milliseconds(700), milliseconds(7));
  CHECK(attempts.next() == kStart + milliseconds(707));
  attempts.on_named(kStart, milliseconds(500));
  CHECK(attempts.next() == kStart);
  attempts.on_denial(kStart + milliseconds(4), milliseconds(700), milliseconds(7));  // it has not heard of the release
  CHECK(attempts.next() == kStart + milliseconds(19));
  CHECK(attempts.yields_to(kTwo));
  CHECK_FALSE(attempts.yields_to(kTwo));
  attempts.on_host();
  CHECK(attempts.yields_to(kTwo));
}

TEST_CASE("a renewal asks the last grantors when they are all connected and still a majority, else nobody by name") {
  Electorate members(kOne, five_tills());
  Certificate certificate{ballot_of(kOne, 4), {{kOne, {}}, {kTwo, {}}, {kThree, {}}}};
  members.connect(kTwo);
  members.connect(kCloud);
  CHECK(members.grantors_again(certificate).empty());
  CHECK_FALSE(members.majority_connected());
  members.connect(kThree);
  CHECK(members.majority_connected());
  CHECK(members.grantors_again(certificate) == std::vector{kTwo, kThree});
  CHECK(members.voters() == std::vector{kTwo, kThree});
  CHECK(members.rivals() == std::vector{kTwo, kThree});  // the cloud never hosts
  certificate.grants.pop_back();
  CHECK(members.grantors_again(certificate).empty());
}

TEST_CASE("a ballot of another branch, in another's name, without a vote or for too long a lease is no ballot") {
  Electorate members(kOne, five_tills());
  CHECK(members.fault_in(ballot_of(kTwo, 4), kTwo) == nullptr);
  CHECK(members.fault_in(ballot_of(kTwo, 4), kThree) != nullptr);
  CHECK(members.fault_in(ballot_of(kCloud, 4), kCloud) != nullptr);
  Ballot ballot = ballot_of(kTwo, 4);
  ballot.branch = BranchId{"station"};
  CHECK(members.fault_in(ballot, kTwo) != nullptr);
  ballot = ballot_of(kTwo, 4);
  ballot.duration_ms = Roster::kMaxLeaseMs + 1;
  CHECK(members.fault_in(ballot, kTwo) != nullptr);
  Roster older = five_tills();
  older.version = 0;
  CHECK_FALSE(members.take(older));
  Roster newer = five_tills();
  newer.version = 2;
  CHECK(members.take(newer));
  CHECK_FALSE(members.take(newer));
}
