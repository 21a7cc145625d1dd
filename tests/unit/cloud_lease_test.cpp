// The cloud's part in a lease: its vote, what it obeys, and the proofs that it is shown.
#include <doctest/doctest.h>

#include <filesystem>

#include "engine/cloud/cloud_core.hpp"
#include "engine/cloud/reset_cloud.hpp"
#include "lease/equivocation_detector.hpp"
#include "sim/world/fleet.hpp"
#include "sim/world/forger.hpp"
#include "tests/scratch.hpp"
#include "tests/unit/keys.hpp"
#include "transport/till/fitness.hpp"

using namespace tillsync;
using test::Folder;
using test::key_number;

namespace {

Roster roster_of_two_and_a_witness() {
  Roster roster;
  roster.keys = TenantKeys::founded(key_number(200).public_key(), key_number(201).public_key());
  roster.branch = BranchId{"corner"};
  roster.lease_ms = 1000;
  for (std::uint8_t n : {1, 2})
    roster.add({TillId{"till-" + std::to_string(n)}, Binary(key_number(n).public_key().view()), Role::till, 1});
  roster.add({TillId{"cloud"}, Binary(key_number(9).public_key().view()), Role::cloud, 1});
  roster.sign(key_number(200));
  return roster;
}

// One process of a cloud, on a database that others may use as well.
class Process {
 public:
  Process(CloudStore& store, const Roster& roster)
      : store_(store), core_(key_number(9)), shop_{roster.keys.id(), roster.branch} {
    (void)core_.on_roster(roster);
    for (std::uint64_t n : {1, 2}) (void)core_.on_peer_up({}, PeerId{n}, shop_, TillId{"till-" + std::to_string(n)});
  }

  // `runs`: when the job does, if that is later: its database was away.
  std::vector<Message> say(Duration at, int till, Message message, std::optional<Duration> runs = {}) {
    CloudActions actions =
        core_.on_message({Instant{at}, 0}, PeerId{static_cast<std::uint64_t>(till)}, std::move(message));
    const Now now{Instant{runs.value_or(at)}, 0};
    std::vector<Message> heard;
    while (true) {
      for (auto& send : actions.sends) heard.push_back(std::move(send.message));
      if (actions.jobs.empty()) return heard;
      actions = core_.on_done(now, 0, run_job(store_, witness_, *actions.jobs.front().job, [&] { return now.mono; }));
    }
  }
  const CloudCore& core() const { return core_; }
  const BranchKey& shop() const { return shop_; }

 private:
  CloudStore& store_;
  CloudCore core_;
  Witness witness_;
  BranchKey shop_;
};

Ballot ballot_of(const Roster& roster, int till, std::uint64_t term) {
  return {roster.branch, Term{term}, TillId{"till-" + std::to_string(till)}, term * 10, roster.lease_ms, 0,
          roster.version};
}

RequestGrant request_of(const Roster& roster, int till, std::uint64_t term) {
  const Ballot b = ballot_of(roster, till, term);
  return {b, Binary(key_number(static_cast<std::uint8_t>(till)).sign(b.grant_bytes(b.candidate)))};
}

Certificate certificate_of(const Roster& roster, int till, std::uint64_t term, std::vector<int> grantors) {
  Certificate certificate{ballot_of(roster, till, term), {}};
  for (int n : grantors) {
    const TillId name{n == 9 ? "cloud" : "till-" + std::to_string(n)};
    certificate.grants.push_back(
        {name, Binary(key_number(static_cast<std::uint8_t>(n)).sign(certificate.ballot.grant_bytes(name)))});
  }
  return certificate;
}

std::string refusal_in(const std::vector<Message>& heard) {
  REQUIRE(heard.size() == 1);
  return std::get<Commanded>(heard[0]).refusal;
}

}  // namespace

TEST_CASE("a witness keeps its word over a restart, and for a second process on the same database") {
  const Folder disk;
  const Roster roster = roster_of_two_and_a_witness();
  auto store = open_lmdb_cloud(disk.path, 7);
  REQUIRE(store);
  Process one(**store, roster), two(**store, roster);
  const auto granted = one.say(seconds(100), 1, request_of(roster, 1, 1));
  REQUIRE(granted.size() == 1);
  const Grant& grant = std::get<Grant>(granted[0]);
  CHECK(key_number(9).public_key().verify(grant.ballot.grant_bytes(TillId{"cloud"}), grant.signature));

  // The second sees the row for the first time: its clock starts now.
  CHECK(std::holds_alternative<Deny>(two.say(seconds(101), 2, request_of(roster, 2, 2))[0]));
  // The holder renews through the first: the row changes, and the second watches anew.
  CHECK(std::holds_alternative<Grant>(one.say(milliseconds(101'600), 1, request_of(roster, 1, 1))[0]));
  CHECK(std::holds_alternative<Deny>(two.say(milliseconds(102'100), 2, request_of(roster, 2, 2))[0]));
  CHECK(std::holds_alternative<Deny>(two.say(milliseconds(103'100), 2, request_of(roster, 2, 2))[0]));
  CHECK(std::holds_alternative<Grant>(two.say(milliseconds(103'120), 2, request_of(roster, 2, 2))[0]));
  // A term is used once: the first process learns of it from the row.
  CHECK(std::holds_alternative<Deny>(one.say(milliseconds(103'130), 1, request_of(roster, 1, 2))[0]));
  // Given back, it is free at once.
  CHECK(two.say(milliseconds(103'140), 2, Release{Term{2}, std::nullopt}).empty());
  CHECK(std::holds_alternative<Grant>(one.say(milliseconds(103'150), 1, request_of(roster, 1, 3))[0]));
}

TEST_CASE("a witness counts from when it has read a promise, not from when the job was formed that reads it") {
  const Folder disk;
  const Roster roster = roster_of_two_and_a_witness();
  auto store = open_lmdb_cloud(disk.path, 7);
  REQUIRE(store);
  Process one(**store, roster), two(**store, roster);
  CHECK(std::holds_alternative<Grant>(one.say(seconds(105), 1, request_of(roster, 1, 1))[0]));
  // A job of the second process has waited for the database since long before that promise.
  const auto late = two.say(seconds(100), 2, request_of(roster, 2, 2), milliseconds(105'050));
  REQUIRE(std::holds_alternative<Deny>(late[0]));
  CHECK(std::get<Deny>(late[0]).remaining_ms == 1010);
  // The first till may hold its lease until 105.990 s.
  CHECK(std::holds_alternative<Deny>(two.say(milliseconds(105'100), 2, request_of(roster, 2, 2))[0]));
  CHECK(std::holds_alternative<Deny>(two.say(milliseconds(106'050), 2, request_of(roster, 2, 2))[0]));
  CHECK(std::holds_alternative<Grant>(two.say(milliseconds(106'060), 2, request_of(roster, 2, 2))[0]));
}

TEST_CASE("a witness that went back to a backup breaks no promise that it has forgotten, and repeats no term") {
  const Folder disk, copy;
  const Roster roster = roster_of_two_and_a_witness();
  {
    auto store = open_lmdb_cloud(disk.path, 7);
    REQUIRE(store);
    Process cloud(**store, roster);
    REQUIRE(std::holds_alternative<Grant>(cloud.say(seconds(100), 1, request_of(roster, 1, 3))[0]));
    std::filesystem::create_directories(copy / "db");
    REQUIRE((*store)->copy_to(copy / "db"));
    // What the backup does not know: till-2 was promised the next term a moment before the disk died.
    REQUIRE(std::holds_alternative<Grant>(cloud.say(seconds(110), 2, request_of(roster, 2, 4))[0]));
  }
  {
    auto store = open_lmdb_cloud(copy / "db", 8);
    REQUIRE(reset_cloud(**store, 9, 1'770'000'000'000));
  }
  auto store = open_lmdb_cloud(copy / "db", 10);
  Process restored(**store, roster);
  for (int at : {111, 120, 171}) {
    const auto said = restored.say(seconds(at), 1, request_of(roster, 1, 5));
    REQUIRE(std::holds_alternative<Deny>(said[0]));
    CHECK(std::get<Deny>(said[0]).term == Term{3 + kTermsForgotten});
  }
  CHECK(std::holds_alternative<Deny>(restored.say(seconds(172), 1, request_of(roster, 1, 4))[0]));
  CHECK(std::holds_alternative<Grant>(restored.say(seconds(172), 1, request_of(roster, 1, 4 + kTermsForgotten))[0]));
}

TEST_CASE("what only an exclusive host may do is done under the highest term that ever acted, and no lower one") {
  const Folder disk;
  Roster roster = roster_of_two_and_a_witness();
  auto store = open_lmdb_cloud(disk.path, 7);
  REQUIRE(store);
  Process cloud(**store, roster);
  const Binary value("\xa1x");
  CHECK(
      refusal_in(cloud.say(seconds(1), 1, Command{1, "opening", value, certificate_of(roster, 1, 4, {9, 1})})).empty());
  CHECK(
      refusal_in(cloud.say(seconds(2), 2, Command{2, "opening", value, certificate_of(roster, 2, 5, {9, 2})})).empty());
  CHECK(refusal_in(cloud.say(seconds(3), 1, Command{3, "opening", value, certificate_of(roster, 1, 4, {9, 1})})) ==
        "fenced: another till has hosted since, in term 5");
  CHECK(refusal_in(cloud.say(seconds(4), 1, Command{4, "opening", value, certificate_of(roster, 2, 6, {9, 2})})) ==
        "another's certificate");
  CHECK(refusal_in(cloud.say(seconds(5), 1, Command{5, "opening", value, certificate_of(roster, 1, 6, {1})})) ==
        "a certificate that does not hold");
  CHECK(cloud.core().status().refused == 2);
  // An emergency opens a new epoch: terms count from there.
  ++roster.version, ++roster.epoch;
  roster.sign(key_number(200));
  Process later(**store, roster);
  CHECK(
      refusal_in(later.say(seconds(6), 1, Command{6, "opening", value, certificate_of(roster, 1, 1, {9, 1})})).empty());
}

TEST_CASE("who granted two candidates in one term is shown to people, once, and only with a proof") {
  const Folder disk;
  const Roster roster = roster_of_two_and_a_witness();
  auto store = open_lmdb_cloud(disk.path, 7);
  REQUIRE(store);
  Process cloud(**store, roster);
  const Certificate first = certificate_of(roster, 1, 3, {1, 2}), second = certificate_of(roster, 2, 3, {2});
  EquivocationDetector book;
  CHECK_FALSE(book.enter(first.ballot, TillId{"till-2"}, first.grants[1].signature));
  const auto evidence = book.enter(second.ballot, TillId{"till-2"}, second.grants[0].signature);
  REQUIRE(evidence);
  CHECK_FALSE(book.enter(second.ballot, TillId{"till-2"}, second.grants[0].signature));
  CHECK(evidence->proves(roster));
  TwoGrants forged = *evidence;
  forged.second.candidate = TillId{"till-1"};
  CHECK_FALSE(forged.proves(roster));
  forged = *evidence;
  forged.grantor = TillId{"till-1"};
  CHECK_FALSE(forged.proves(roster));

  for (int i = 0; i < 2; ++i) CHECK(cloud.say(seconds(1), 1, *evidence).empty());
  CHECK(cloud.say(seconds(1), 1, forged).empty());
  std::vector<Conflict> raised;
  REQUIRE((*store)->read(
      [&](CloudTxn& txn) -> Result<void> { return raised = ConflictBook::all(txn, cloud.shop()), Result<void>(); }));
  REQUIRE(raised.size() == 1);
  CHECK(raised[0].id == "two_grants/till-2/3");
  CHECK(raised[0].summary.find("till-2 granted the lease to both till-1 and till-2 in term 3") == 0);
}

TEST_CASE("fitness: a till on battery or on Wi-Fi alone is less fit than one with a cable and mains power") {
  const Folder sys;
  auto write = [&](const std::string& file, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(sys / file).parent_path());
    std::FILE* out = std::fopen((sys / file).c_str(), "w");
    std::fputs(text.c_str(), out);
    std::fclose(out);
  };
  CHECK(read_fitness("/tmp", sys.path).mains);  // a desktop has no power_supply at all
  write("class/power_supply/BAT0/type", "Battery\n");
  write("class/power_supply/BAT0/status", "Discharging\n");
  write("class/net/wlan0/operstate", "up\n");
  std::filesystem::create_directories(sys.path + "/class/net/wlan0/wireless");
  const Fitness mobile = read_fitness("/tmp", sys.path);
  CHECK_FALSE(mobile.mains);
  CHECK_FALSE(mobile.wired);
  write("class/power_supply/AC/type", "Mains\n");
  write("class/power_supply/AC/online", "1\n");
  write("class/net/eth0/operstate", "up\n");
  const Fitness docked = read_fitness("/tmp", sys.path);
  CHECK(docked.mains);
  CHECK(docked.wired);
  CHECK(docked.value() > mobile.value());
}

TEST_CASE("whoever sends lease messages that count for nothing is named in the log once, and counted") {
  sim::Fleet fleet(11, 3, 1000);
  REQUIRE(fleet.settle(seconds(10)));
  sim::Forger forger(fleet.world(), fleet.network(), fleet.till(3).who());
  fleet.world().run_for(seconds(30));
  forger.go();
  std::uint64_t counted = 0, named = 0, cut = 0;
  for (int i = 1; i <= 2; ++i) {
    std::set<std::string> said;
    for (const std::string& notice : fleet.till(i).notices()) {
      if (notice.find("ignored a message") != 0) continue;
      CHECK(said.insert(notice).second);
      CHECK(notice.find("of till-") != std::string::npos);
      ++named;
    }
    for (const Complaint& each : fleet.till(i).node().health().complaints()) {
      counted += each.count;
      if (each.what.find("cut short") != std::string::npos) ++cut;
    }
  }
  CHECK(named > 0);
  CHECK(counted > named);
  CHECK(cut == 2);
  CHECK(fleet.settle(seconds(30)));
}
