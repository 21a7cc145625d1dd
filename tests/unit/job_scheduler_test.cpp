// Which asks become a job, and when: the scheduler alone.
#include <doctest/doctest.h>

#include "engine/cloud/job_scheduler.hpp"

using namespace tillsync;

namespace {

const BranchKey kNorth{"bakery", {"north"}}, kSouth{"bakery", {"south"}}, kShared{"bakery", {}};

CloudAsk pull(std::uint64_t peer, const BranchKey& branch) { return {PeerId{peer}, branch, Pull{}}; }

CloudAsk import(std::uint64_t reply, std::size_t bytes = 10) {
  ImportRows rows{{{"tenant", "product"}, {{"bun", false, Bytes(bytes, 'x')}}, {}, {}}};
  return {{}, kShared, std::move(rows), ReplyTo{reply}};
}

struct Lanes : JobScheduler {
  explicit Lanes(std::size_t lanes) : JobScheduler(lanes) {}
  std::vector<CloudActions::Job> jobs(Duration at = {}) {
    return start({Instant{at}, 0}, [](CloudJob&) {});
  }
};

}  // namespace

TEST_CASE("lanes work at once for different branches, and never for the same") {
  Lanes lanes(2);
  lanes.add(pull(1, kNorth));
  const auto first = lanes.jobs();
  REQUIRE(first.size() == 1);
  lanes.add(pull(2, kNorth));
  CHECK(lanes.jobs().empty());  // it waits for the job of its branch
  lanes.add(pull(3, kSouth));
  const auto second = lanes.jobs();
  REQUIRE(second.size() == 1);
  CHECK(second[0].job->asks[0].from == PeerId{3});
  (void)lanes.ended(first[0].lane);
  const auto third = lanes.jobs();
  REQUIRE(third.size() == 1);
  CHECK(third[0].job->asks[0].from == PeerId{2});
}

TEST_CASE("a tenant's imports follow each other, beside its branches' jobs") {
  Lanes lanes(3);
  lanes.add(pull(1, kNorth));
  REQUIRE(lanes.jobs().size() == 1);
  lanes.add(import(1));
  const auto first = lanes.jobs();
  REQUIRE(first.size() == 1);
  lanes.add(import(2));
  CHECK(lanes.jobs().empty());
  (void)lanes.ended(first[0].lane);
  const auto second = lanes.jobs();
  REQUIRE(second.size() == 1);
  CHECK(second[0].job->asks[0].reply == ReplyTo{2});
}

TEST_CASE("imports fill a job by their bytes, as pushes do: the rest comes in the next") {
  Lanes lanes(1);
  for (std::uint64_t i = 1; i <= 3; ++i) lanes.add(import(i, JobScheduler::kMaxBranchBytes - 100));
  const auto first = lanes.jobs();
  REQUIRE(first.size() == 1);
  CHECK(first[0].job->asks.size() == 2);
  CHECK(lanes.queued() == 1);
}

TEST_CASE("leases are the first lane's, also of a branch that another lane works for") {
  Lanes lanes(2);
  lanes.add(pull(1, kNorth));
  lanes.add(pull(2, kSouth));
  const auto first = lanes.jobs();
  REQUIRE(first.size() == 1);  // both branches in one job
  lanes.add({PeerId{3}, kNorth, LeaseAsk{}});
  CHECK(lanes.jobs().empty());  // the second lane leaves it alone
  (void)lanes.ended(0);
  const auto second = lanes.jobs();
  REQUIRE(second.size() == 1);
  CHECK(second[0].lane == 0);
}

TEST_CASE("a job that failed is run again as it was, later and later, and holds up no other branch") {
  Lanes lanes(2);
  lanes.add(import(1));
  const auto job = lanes.jobs()[0];
  Duration at{}, pause = JobScheduler::kFirstPause;
  for (int i = 0; i < 8; ++i) {
    CHECK(lanes.failed({Instant{at}, 0}, job.lane, {ErrorKind::io, "it is away", {}}) == (i == 0));
    CHECK(lanes.trouble()->message == "it is away");
    CHECK(lanes.next_wake() == Instant{at + pause});
    CHECK(lanes.jobs(at + pause - Duration(1)).empty());
    at += pause;
    const auto again = lanes.jobs(at);
    REQUIRE(again.size() == 1);
    CHECK(again[0].job == job.job);
    pause = std::min<Duration>(2 * pause, JobScheduler::kLongestPause);
  }
  lanes.add(pull(1, kNorth));
  CHECK(lanes.jobs(at).size() == 1);
  CHECK(lanes.ended(job.lane).had_failed);
  CHECK_FALSE(lanes.trouble());
  CHECK_FALSE(lanes.next_wake());
}

TEST_CASE("what changes while a job runs is kept for its readers; after a failure it may be anything") {
  Lanes lanes(1);
  lanes.add(pull(1, kNorth));
  (void)lanes.jobs();
  const CloudNews rows{"bakery", "tenant"};
  SUBCASE("") {
    lanes.on_rows_changed(std::set{rows});
    CHECK(lanes.ended(0).missed == std::set{rows});
  }
  SUBCASE("") {
    CHECK(lanes.failed({}, 0, {ErrorKind::io, {}, {}}));
    CHECK_FALSE(lanes.ended(0).missed);
  }
}
