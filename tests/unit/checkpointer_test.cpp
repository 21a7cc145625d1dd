// In which order parts are stored, and when; and that no lease is granted before the promise is stored.
#include "engine/till/checkpointer.hpp"

#include "tests/unit/till_parts.hpp"

using namespace tillsync;
using test::TillParts;

namespace {

class Noting final : public StoredPart {
 public:
  Noting(std::string name, std::vector<std::string>& calls) : name_(std::move(name)), calls_(calls) {}
  std::optional<Instant> when;

  std::optional<Instant> due() const override { return when; }
  void write(const Moment&, Checkpoint& into) override {
    calls_.push_back("write " + name_);
    into.batch.meta(name_, "stored");
    when.reset();
  }
  void on_stored(const Moment&, Actions&) override { calls_.push_back("stored " + name_); }

 private:
  std::string name_;
  std::vector<std::string>& calls_;
};

struct Storing : TillParts {
  std::vector<std::string> calls;
  Noting first{"first", calls}, second{"second", calls};

  Storing() {
    checkpoints.store_in_order({&first, &second});
    checkpoint();  // a new till stores its state at once
    calls.clear();
  }
  std::shared_ptr<const StoreBatch> start() {
    Actions out;
    checkpoints.start_if_due(at(), out);
    return out.commit;
  }
  void finish(Result<void> outcome) {
    Actions out;
    checkpoints.on_committed(at(), outcome, out);
  }
};

}  // namespace

TEST_CASE("parts write in their order, and hear that it is stored in that order, once it is") {
  Storing till;
  CHECK_FALSE(till.start());
  till.second.when = StoredPart::kAtOnce;
  REQUIRE(till.start());
  CHECK(till.calls == std::vector<std::string>{"write first", "write second"});
  till.finish({});
  CHECK(till.calls == std::vector<std::string>{"write first", "write second", "stored first", "stored second"});
}

TEST_CASE("while a transaction is in flight none is started, and what came meanwhile goes into the next") {
  Storing till;
  till.first.when = StoredPart::kAtOnce;
  REQUIRE(till.start());
  till.first.when = StoredPart::kAtOnce;
  CHECK_FALSE(till.start());
  till.finish({});
  CHECK(till.start());
}

TEST_CASE("a transaction that failed is tried again as it is, after a second, and nobody hears that it is stored") {
  Storing till;
  till.first.when = StoredPart::kAtOnce;
  const auto batch = till.start();
  till.finish(fail(ErrorKind::disk_full, "no room"));
  till.second.when = StoredPart::kAtOnce;
  CHECK_FALSE(till.start());
  CHECK_FALSE(till.checkpoints.succeeds());
  till.ms += 1000;
  CHECK(till.start() == batch);
  CHECK(till.calls == std::vector<std::string>{"write first", "write second"});
  till.finish({});
  CHECK(till.calls.size() == 4);
  CHECK(till.start() != batch);
}

TEST_CASE("what can wait a second waits for more; the checkpoint wakes the till in time") {
  Storing till;
  const Instant now = till.at().mono();
  till.timer.start_soon(now);
  CHECK_FALSE(till.start());
  CHECK(till.checkpoints.next_wake(now, now + seconds(60)) == now + CheckpointTimer::kSoon);
  till.ms += 1000;
  CHECK(till.start());
}

TEST_CASE("a sale that is journalled goes into the vault with the next checkpoint, and leaves the pending set then") {
  TillParts till;
  till.sell("sale/1");
  REQUIRE(till.log.history().pending().size() == 1);
  till.checkpoint();
  CHECK(till.log.history().pending().empty());
  CHECK(till.store->view().op_count() == 1);
  CHECK(till.store->view().state()->last == till.log.last());
  CHECK(till.log.history().find("sale/1").has_value());
}

namespace {

struct Voting : TillParts {
  Leadership leadership{context, peers, health, copies, timer, random, Instant{}};
  const Peer& two = connect(2);

  Voting() {
    checkpoints.store_in_order({&leadership});
    checkpoint();
    Actions out;
    leadership.on_peer_up(at(), two, out);
  }
  RequestGrant request(std::uint64_t term) const {
    const Ballot ballot{roster->branch, Term{term}, two.name, term, roster->lease_ms, 0, roster->version};
    return {ballot, Binary(test::key_number(2).sign(ballot.grant_bytes(two.name)))};
  }
};

}  // namespace

TEST_CASE("no lease is granted before the promise is stored") {
  Voting till;
  till.ms += 60'000;
  Actions heard, started, stored;
  till.leadership.on_message(till.at(), till.two, till.request(5), heard);
  CHECK(test::sent<Grant>(heard, till.two.id).empty());
  REQUIRE(till.leadership.due() == StoredPart::kAtOnce);
  till.checkpoints.start_if_due(till.at(), started);
  REQUIRE(started.commit);
  CHECK(test::sent<Grant>(started, till.two.id).empty());
  REQUIRE(till.store->commit(*started.commit));
  till.checkpoints.on_committed(till.at(), {}, stored);
  REQUIRE(test::sent<Grant>(stored, till.two.id).size() == 1);
  CHECK(test::sent<Grant>(stored, till.two.id)[0].ballot.term == Term{5});
}

TEST_CASE("a promise that can't be stored is no grant") {
  Voting till;
  till.ms += 60'000;
  Actions out;
  till.leadership.on_message(till.at(), till.two, till.request(5), out);
  till.checkpoints.start_if_due(till.at(), out);
  REQUIRE(out.commit);
  till.checkpoints.on_committed(till.at(), fail(ErrorKind::disk_full, "no room"), out);
  CHECK(test::sent<Grant>(out, till.two.id).empty());
}

TEST_CASE("a till restarted on the stored promise grants nobody else while it binds") {
  Voting till;
  till.ms += 60'000;
  Actions out;
  till.leadership.on_message(till.at(), till.two, till.request(5), out);
  till.checkpoint();
  const Peer& three = till.connect(3);
  Leadership again(till.context, till.peers, till.health, till.copies, till.timer, till.random, till.at().mono());
  const Ballot ballot{till.roster->branch, Term{6}, three.name, 6, till.roster->lease_ms, 0, till.roster->version};
  Actions answer;
  again.on_message(till.at(), three,
                   RequestGrant{ballot, Binary(test::key_number(3).sign(ballot.grant_bytes(three.name)))}, answer);
  CHECK_FALSE(again.due().has_value());
  CHECK(test::sent<Deny>(answer, three.id).size() == 1);
}
