// What a till does for others: takes in, acknowledges, tells, fetches.
#include "engine/till/relay_service.hpp"

#include "tests/unit/till_parts.hpp"

using namespace tillsync;
using test::TillParts;

namespace {

struct Relaying : TillParts {
  Uplink uplink{context, peers, log, acks, replicas};
  HistoryHolders holders{peers, uplink};
  RelayService relay{context, peers, replicas, holders, generation, health, stock};
  const Peer& two = connect(2);
  const Peer& three = connect(3);
  ChainId chain{TillId{"till-2"}, Incarnation{20}};

  Relaying() { checkpoints.store_in_order({&repair, &log, &relay, &acks, &forks}); }

  Actions push(const Peer& from, const Push& push) {
    Actions out;
    if (auto opened = relay.open(from, push, out)) relay.on_push(hosting(), from, std::move(*opened), out);
    return out;
  }
  // Stores what came, and returns what is said then.
  Actions store_all() {
    Actions started, out;
    checkpoints.start_if_due(hosting(), started);
    REQUIRE(started.commit);
    REQUIRE(store->commit(*started.commit));
    checkpoints.on_committed(hosting(), {}, out);
    return out;
  }
};

}  // namespace

TEST_CASE("a push is acknowledged once it is stored, and not before") {
  Relaying host;
  const Actions taken = host.push(host.two, test::push_of(2, host.chain.incarnation, {}, 3));
  CHECK(taken.sends.empty());
  const auto acks = test::sent<Ack>(host.store_all(), host.two.id);
  REQUIRE(acks.size() == 1);
  CHECK(acks[0].level == Level::host);
  CHECK(acks[0].point.seq == Seq{3});
}

TEST_CASE("a gap is answered with the watermark to send again from") {
  Relaying host;
  host.push(host.two, test::push_of(2, host.chain.incarnation, {}, 2));
  host.store_all();
  const auto acks = test::sent<Ack>(
      host.push(host.two, test::push_of(2, host.chain.incarnation, {Seq{6}, blake2b("six")}, 1)), host.two.id);
  REQUIRE(acks.size() == 1);
  CHECK(acks[0].point.seq == Seq{2});
}

TEST_CASE("a push that its till did not sign ends the connection, and nothing of it is kept") {
  Relaying host;
  Push forged = test::push_of(2, host.chain.incarnation, {}, 1);
  forged.signature[5] ^= 1;
  const Actions out = host.push(host.three, forged);
  CHECK(out.hang_up == std::vector{host.three.id});
  CHECK(host.replicas.find(host.chain) == nullptr);
  CHECK(host.health.refused() == 1);
}

TEST_CASE("who holds ops of a history hears what the cloud has of it") {
  Relaying host;
  const Peer& cloud = host.connect_cloud();
  const Push push = test::push_of(2, host.chain.incarnation, {}, 3);
  host.push(host.three, push);  // till 3 held them while it was the host
  host.store_all();
  Actions out;
  const ChainPoint end{Seq{3}, blake2b(push.ops[2])};
  CHECK_FALSE(host.relay.on_cloud_ack(host.hosting(), cloud, {push.chain, Level::cloud, end}, out));
  REQUIRE(test::sent<Ack>(out, host.two.id).size() == 1);
  REQUIRE(test::sent<Ack>(out, host.three.id).size() == 1);
  CHECK(test::sent<Ack>(out, host.three.id)[0].level == Level::cloud);
  host.store_all();
  CHECK(host.replicas.unsent() == 0);
}

TEST_CASE("a till gets its own ops back from the host, or through it from the cloud; another till's it does not get") {
  Relaying host;
  const Peer& cloud = host.connect_cloud();
  const Push push = test::push_of(2, host.chain.incarnation, {}, 3);
  host.push(host.two, push);
  host.store_all();
  Actions own, unknown, others;
  host.relay.on_fetch(host.hosting(), host.two, {push.chain, Seq{2}}, own);
  REQUIRE(test::sent<Fetched>(own, host.two.id).size() == 1);
  CHECK(test::sent<Fetched>(own, host.two.id)[0].ops.size() == 2);
  const WireChain older{host.chain.till, Incarnation{19}};
  host.relay.on_fetch(host.hosting(), host.two, {older, Seq{1}}, unknown);
  CHECK(test::sent<Fetch>(unknown, cloud.id).size() == 1);
  Actions passed_on;
  host.relay.on_fetched({older, Seq{1}, {}, true}, passed_on);
  CHECK(test::sent<Fetched>(passed_on, host.two.id).size() == 1);
  host.relay.on_fetch(host.hosting(), host.three, {push.chain, Seq{1}}, others);
  CHECK(others.sends.empty());
  CHECK(host.health.refused() == 1);
}

TEST_CASE("the host sends its own ops to the cloud and to one other till; who is neither gets nothing") {
  Relaying host;
  const Peer& cloud = host.connect_cloud();
  host.sell("sale/1");
  Actions offered;
  host.uplink.send(host.hosting(), offered);
  CHECK(test::sent<HistoryOffer>(offered, host.two.id).size() == 1);
  CHECK(test::sent<HistoryOffer>(offered, host.three.id).empty());
  REQUIRE(test::sent<HistoryOffer>(offered, cloud.id).size() == 1);
  host.uplink.on_ack(host.at().mono(), cloud, host.ack(Level::cloud, {}));
  Actions pushed;
  host.uplink.send(host.hosting(), pushed);
  REQUIRE(test::sent<Push>(pushed, cloud.id).size() == 1);
  CHECK(open_push(test::sent<Push>(pushed, cloud.id)[0], host.config.branch, test::key_number(1).public_key()));
}
