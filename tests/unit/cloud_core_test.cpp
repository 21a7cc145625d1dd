// The cloud's core as a pure object: who waits for rows is told of every change, whenever it comes.
#include <doctest/doctest.h>

#include "engine/cloud/cloud_core.hpp"
#include "tests/unit/keys.hpp"

using namespace tillsync;

namespace {

struct Cloud {
  static constexpr std::size_t kLanes = 2;
  CloudCore core{SecretKey::from_seed({}), kLanes};
  Now now{};
  BranchKey north{"tenant", {"north"}}, south{"tenant", {"south"}};

  std::vector<CloudActions::Job> pull(std::uint64_t peer, const BranchKey& shop) {
    (void)core.on_peer_up(now, PeerId{peer}, shop, TillId{"till-1"});
    Pull pull;
    pull.feeds = {"tenant", "branch/" + shop.branch.text};
    return core.on_message(now, PeerId{peer}, pull).jobs;
  }
  // The job ends, and its pulls had found nothing new.
  std::vector<CloudActions::Job> nothing_new(const CloudActions::Job& job) {
    CloudAnswers answers;
    answers.waiting = job.job->asks;
    return core.on_done(now, job.lane, answers).jobs;
  }
};

// A branch whose one till pushes; nothing of its history is looked at.
struct Pushing {
  CloudCore core{test::key_number(9)};
  Now now{};
  std::uint64_t pushed = 0;

  Pushing() {
    Roster roster;
    roster.tenant = "Bakery";
    roster.keys = TenantKeys::founded(test::key_number(1).public_key(), test::key_number(2).public_key());
    roster.branch = BranchId{"north"};
    roster.add({TillId{"cloud"}, Binary(test::key_number(9).public_key().view()), Role::cloud, 0});
    roster.add({TillId{"till-1"}, Binary(test::key_number(7).public_key().view()), Role::till, 1});
    roster.sign(test::key_number(1));
    (void)core.on_roster(roster);
    (void)core.on_peer_up(now, PeerId{1}, {roster.keys.id(), roster.branch}, TillId{"till-1"});
  }
  CloudActions push() {
    Push push{{TillId{"till-1"}, Incarnation{99}}, Seq{++pushed}, {Binary(Bytes(200 << 10, 'x'))}, {}};
    const ChainPoint end{push.first, blake2b(push.ops.back())};
    push.signature = Binary(test::key_number(7).sign(push_bytes(BranchId{"north"}, push.chain.id(), end)));
    return core.on_message(now, PeerId{1}, push);
  }
};

}  // namespace

TEST_CASE("a change that comes while a pull is being answered is not missed: the pull runs again") {
  Cloud cloud;
  const auto jobs = cloud.pull(1, cloud.north);
  REQUIRE(jobs.size() == 1);
  SUBCASE("of its feed") {
    CHECK(cloud.core.on_rows_changed(cloud.now, std::set{CloudNews{"tenant", "tenant"}}).jobs.empty());
    CHECK(cloud.nothing_new(jobs[0]).size() == 1);
  }
  SUBCASE("of any feed") {
    CHECK(cloud.core.on_rows_changed(cloud.now, std::nullopt).jobs.empty());
    CHECK(cloud.nothing_new(jobs[0]).size() == 1);
  }
  SUBCASE("made by a job in another lane") {
    const auto other = cloud.pull(2, cloud.south);
    REQUIRE(other.size() == 1);
    CHECK(other[0].lane != jobs[0].lane);
    CloudAnswers changed;
    changed.changed = {{"tenant", "tenant"}};
    CHECK(cloud.core.on_done(cloud.now, other[0].lane, changed).jobs.empty());
    CHECK(cloud.nothing_new(jobs[0]).size() == 1);
  }
  SUBCASE("of a feed that does not concern it, or of another tenant") {
    const std::set<CloudNews> others{{"tenant", "branch/south"}, {"other", "tenant"}};
    CHECK(cloud.core.on_rows_changed(cloud.now, others).jobs.empty());
    CHECK(cloud.nothing_new(jobs[0]).empty());
  }
}

TEST_CASE("two jobs run at once, but never two about one branch") {
  Cloud cloud;
  const auto first = cloud.pull(1, cloud.north);
  REQUIRE(first.size() == 1);
  CHECK(cloud.pull(2, cloud.north).empty());  // its branch is being worked on
  const auto second = cloud.pull(3, cloud.south);
  REQUIRE(second.size() == 1);
  CHECK(second[0].lane != first[0].lane);
  const auto next = cloud.nothing_new(first[0]);
  REQUIRE(next.size() == 1);
  CHECK(next[0].job->asks.front().from == PeerId{2});
}

TEST_CASE(
    "a job runs once its own pushes are read, whatever else is to be read; what is too far ahead nobody reads early") {
  Pushing cloud;
  const auto first = cloud.push();
  REQUIRE(first.jobs.size() == 1);
  CHECK(first.to_read.size() == 1);
  CHECK(first.jobs[0].job->reads == 1);
  std::size_t to_read = 0;
  for (std::size_t i = 0; i < CloudCore::kReadAhead + 3; ++i) {
    const auto next = cloud.push();
    CHECK(next.jobs.empty());
    to_read += next.to_read.size();
  }
  CHECK(to_read == CloudCore::kReadAhead);
  const auto second = cloud.core.on_done(cloud.now, first.jobs[0].lane, CloudAnswers{}).jobs;
  REQUIRE(second.size() == 1);
  const std::size_t taken = second[0].job->asks.size();
  CHECK((taken > 1 && taken < CloudCore::kReadAhead));
  CHECK(second[0].job->reads == 1 + taken);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto next = cloud.core.on_done(cloud.now, second[0].lane, CloudAnswers{}).jobs;
    REQUIRE(next.size() == 1);
    CHECK(next[0].job->reads == std::min(1 + (2 + i) * taken, 1 + CloudCore::kReadAhead));
  }
}
