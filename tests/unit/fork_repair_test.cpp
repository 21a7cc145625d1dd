// A till's own history that split: who is believed, and how both branches come together again.
#include "engine/till/fork_repair.hpp"

#include "engine/till/journal_replay.hpp"
#include "tests/unit/till_parts.hpp"

using namespace tillsync;
using test::TillParts;

namespace {

// Five sales here, of which the cloud has three; behind those it has one of its own, made by a disk that was copied.
struct Forked : TillParts {
  const Peer& cloud = connect_cloud();
  ChainId old = log.chain();
  Bytes theirs;
  std::vector<ChainPoint> points{{}};  // of the old history, by seq

  Forked() {
    for (int i = 1; i <= 5; ++i) {
      sell("sale/" + std::to_string(i));
      points.push_back(log.last());
    }
    checkpoint();
    theirs = test::continued(old, points[3], "elsewhere/4");
    hear(cloud, ack(Level::cloud, points[3]));
    hear(cloud, ack(Level::cloud, {Seq{4}, blake2b(theirs)}));
  }
  void begin() {
    Actions out;
    claims.begin_if_possible(repair, out);
    flush();
  }
  std::vector<Fetch> advance() {
    Actions out;
    ms += 10'000;
    repair.advance(at(), &cloud, checkpoints, out);
    return test::sent<Fetch>(out, cloud.id);
  }
  void answer(Seq from, std::vector<Binary> ops) {
    Actions out;
    repair.on_fetched(at(), Fetched{WireChain::of(old), from, std::move(ops), true}, checkpoints, out);
  }
  std::vector<std::string> pending_keys() const {
    std::vector<std::string> keys;
    for (const PendingOp& p : log.history().pending()) keys.push_back(p.op.key);
    return keys;
  }
};

}  // namespace

TEST_CASE("a fork compares from the last op that the cloud is known to have, and re-issues what only this till has") {
  Forked till;
  till.begin();
  CHECK(till.log.chain().incarnation != till.old.incarnation);
  const auto asked = till.advance();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].from == Seq{4});
  till.answer(Seq{4}, {Binary(till.theirs)});
  CHECK(till.forks.newest().split == Seq{4});
  till.advance();
  till.flush();
  const auto keys = till.pending_keys();
  REQUIRE(keys.size() == 3);  // what names the fork, and the two that the cloud lacks
  CHECK(keys[1] == "sale/4");
  CHECK(keys[2] == "sale/5");
  CHECK(till.log.history().find("sale/4")->op.origin->seq == Seq{4});
}

TEST_CASE("forgotten ops come back once the re-issued ones are stored, and then the fork is settled") {
  Forked till;
  till.begin();
  till.advance();
  till.answer(Seq{4}, {Binary(till.theirs)});
  till.advance();
  till.flush();
  CHECK(till.advance().empty());  // ours are not in the database yet: theirs would take their places
  till.checkpoint();
  const auto asked = till.advance();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].from == Seq{4});
  till.answer(Seq{4}, {Binary(till.theirs)});
  till.checkpoint();
  CHECK(till.store->view().op(till.old.incarnation, Seq{4}) == till.theirs);
  till.advance();
  till.answer(Seq{5}, {});
  CHECK_FALSE(till.forks.empty());  // op 5 of this disk's branch still lies behind what the cloud has
  till.checkpoint();
  CHECK_FALSE(till.store->view().op(till.old.incarnation, Seq{5}).has_value());
  till.advance();
  till.answer(Seq{5}, {});
  CHECK(till.forks.empty());
  REQUIRE(till.acks.old().size() == 1);
  CHECK(till.acks.old()[0].last == ChainPoint{Seq{4}, blake2b(till.theirs)});
  CHECK(till.log.history().find("sale/5")->op.chain == till.log.chain());
}

TEST_CASE("if what is fetched does not follow what is there, both branches are compared anew, from the beginning") {
  Forked till;
  till.begin();
  till.advance();
  till.answer(Seq{4}, {Binary(till.theirs)});
  till.advance();
  till.flush();
  till.checkpoint();
  till.advance();
  till.answer(Seq{4}, {Binary(test::continued(till.old, {Seq{3}, blake2b("another")}, "elsewhere/4"))});
  CHECK(till.forks.newest().split == Seq{});
  CHECK(till.forks.newest().agreed.seq == Seq{});  // the cloud has not even what it had when the fork began
}

TEST_CASE("a fork waits until no flush is in flight: the ops in it belong to the old history") {
  Forked till;
  till.record("sale/6");
  Actions flushing, out;
  till.log.flush(till.ms, flushing);
  REQUIRE(flushing.append);
  till.claims.begin_if_possible(till.repair, out);
  CHECK(till.log.chain() == till.old);
  till.log.on_appended(till.at().mono(), JournalPosition{}, out);
  till.claims.begin_if_possible(till.repair, out);
  CHECK(till.log.chain() != till.old);
  CHECK(till.forks.newest().old_end.seq == Seq{6});
}

TEST_CASE("a till that tells of forks again and again is believed three times, the cloud always") {
  TillParts till;
  const Peer& other = till.connect(2);
  const Peer& cloud = till.connect_cloud();
  till.sell("sale/1");
  int begun = 0;
  const auto claim = [&](const Peer& by) {
    Actions out;
    const bool believed = till.claims.claim(by, "a test", out);
    till.claims.begin_if_possible(till.repair, out);
    till.flush();
    begun += believed ? 1 : 0;
  };
  for (int i = 0; i < 5; ++i) claim(other);
  CHECK(begun == 3);
  CHECK(till.forks.seen() == 3);
  for (int i = 0; i < 5; ++i) claim(cloud);
  CHECK(begun == 8);
}

TEST_CASE("a till with an empty disk goes on in its new history, and fetches the old one that others have seen") {
  TillParts till;
  const Peer& host = till.connect(2);
  const ChainId before{till.config.till, Incarnation{77}};
  Actions out;
  const auto lost = till.claims.on_seen(host, Seen{{{before.till, before.incarnation, Seq{9}}}}, {}, out);
  REQUIRE(lost);
  till.repair.follow_lost(*lost, out);
  till.repair.advance(till.at(), &host, till.checkpoints, out);
  const auto asked = test::sent<Fetch>(out, host.id);
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].chain.incarnation == before.incarnation);
  CHECK(asked[0].from == Seq{1});
}

TEST_CASE("ops that others kept and this till forgot are recorded anew, and acknowledged once the cloud has them") {
  TillParts till;
  const Peer& keeper = till.connect(2);
  const Peer& cloud = till.connect_cloud();
  const ChainId lost{till.config.till, Incarnation{77}};
  const auto push = test::push_of(1, lost.incarnation, {}, 2);
  const auto batch = open_push(push, till.config.branch, test::key_number(1).public_key()).value();
  const auto show = [&] {
    Actions out;
    till.reissue.on_batch(keeper, batch, out);
    till.flush();
    return test::sent<DivergentBatchAck>(out, keeper.id).size();
  };
  CHECK(show() == 0);
  REQUIRE(till.log.history().pending().size() == 2);
  CHECK(till.log.history().pending()[1].op.origin == Origin{lost.incarnation, Seq{2}, batch.ops[1].op.hlc});
  CHECK(show() == 0);
  CHECK(till.log.history().pending().size() == 2);
  till.hear(cloud, till.ack(Level::cloud, till.point(Seq{1})));
  CHECK(show() == 0);
  till.hear(cloud, till.ack(Level::cloud, till.point(Seq{2})));
  CHECK(show() == 1);
}

TEST_CASE(
    "a fork that was journalled and not stored is followed at the next start, as a history of which nobody has any") {
  TillParts till;
  const Peer& cloud = till.connect_cloud();
  for (int i = 1; i <= 3; ++i) till.sell("sale/" + std::to_string(i));
  till.hear(cloud, till.ack(Level::cloud, till.point(Seq{3})));
  till.acks.on_let_go(till.point(Seq{2}));
  till.checkpoint();
  Actions out;
  till.repair.begin("a test", out);
  till.flush();
  std::vector<Bytes> tail;
  for (const PendingOp& p : till.log.history().pending()) tail.push_back(p.bytes);
  REQUIRE(tail.size() == 1);

  Checkpointer checkpoints{*till.store, till.random, till.timer};
  LocalLog log{till.context, till.timer, checkpoints.state()};
  ForkList forks{checkpoints.state()};
  ForkClaims claims{till.context, log, forks};
  HistoryAcks acks{till.context, log, forks, claims, till.copies, till.timer, checkpoints.state()};
  DivergentReissue reissue{log, acks, forks};
  ForkRepair repair{till.context, log, forks, acks, reissue, till.stock, till.random};
  JournalReplay(till.context, log, forks, acks, repair)
      .run(
          {tail, {}}, [](const Op&) {}, out);
  CHECK(log.chain() == till.log.chain());
  REQUIRE(forks.all().size() == 1);
  CHECK(forks.newest().old_end.seq == Seq{3});
  CHECK(acks.cloud() == ChainPoint{});
  CHECK(acks.let_go() == ChainPoint{});  // of the old history: it says nothing of the new one
}
