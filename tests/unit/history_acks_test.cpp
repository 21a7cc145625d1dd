// What others hold of a till's own history, and when this till lets its own go.
#include "engine/till/history_acks.hpp"

#include "engine/till/retention.hpp"
#include "tests/unit/till_parts.hpp"

using namespace tillsync;
using test::TillParts;

TEST_CASE("an op is on one disk, on two, at the host, in the cloud: as far as those who hold it say so") {
  TillParts till;
  const Peer& host = till.connect(2);
  const Peer& cloud = till.connect_cloud();
  for (int i = 1; i <= 4; ++i) till.sell("sale/" + std::to_string(i));
  CHECK(till.acks.durability("sale/1") == Level::own_disk);
  till.hear(host, till.ack(Level::two_disks, till.point(Seq{3})), false, true);
  till.hear(host, till.ack(Level::host, till.point(Seq{2})));
  till.hear(cloud, till.ack(Level::cloud, till.point(Seq{1})));
  CHECK(till.acks.durability("sale/1") == Level::cloud);
  CHECK(till.acks.durability("sale/2") == Level::host);
  CHECK(till.acks.durability("sale/3") == Level::two_disks);
  CHECK(till.acks.durability("sale/4") == Level::own_disk);
  CHECK(till.acks.durability("sale/5").error().kind == ErrorKind::not_found);
  CHECK(till.acks.unsent() == 3);
}

TEST_CASE("who is neither the way up nor fed by this till can't raise a level") {
  TillParts till;
  const Peer& other = till.connect(3);
  till.sell("sale/1");
  till.hear(other, till.ack(Level::host, till.point(Seq{1})), false, false);
  till.hear(other, till.ack(Level::two_disks, till.point(Seq{1})), false, false);
  CHECK(till.acks.durability("sale/1") == Level::own_disk);
}

TEST_CASE("the cloud alone can say that it holds less than before; then it is asked again") {
  TillParts till;
  const Peer& host = till.connect(2);
  const Peer& cloud = till.connect_cloud();
  for (int i = 1; i <= 3; ++i) till.sell("sale/" + std::to_string(i));
  CHECK(till.hear(cloud, till.ack(Level::cloud, till.point(Seq{3}))).cloud_moved);
  CHECK_FALSE(till.hear(host, till.ack(Level::cloud, till.point(Seq{1}))).cloud_moved);
  CHECK(till.acks.cloud().seq == Seq{3});
  const auto heard = till.hear(cloud, till.ack(Level::cloud, till.point(Seq{1})));
  CHECK(heard.cloud_moved);
  CHECK(heard.ask_again);
  CHECK(till.acks.cloud().seq == Seq{1});
}

TEST_CASE("a cloud that was put back holds nothing until it says so, of the old histories either") {
  TillParts till;
  const Peer& cloud = till.connect_cloud();
  till.sell("sale/1");
  const Incarnation first = till.log.chain().incarnation;
  till.log.open_incarnation(Incarnation{5});
  till.acks.on_new_incarnation();
  till.sell("sale/2");
  till.hear(cloud, till.ack(Level::cloud, till.point(Seq{1})));
  till.checkpoint();
  CHECK(till.acks.durability("sale/1") == Level::cloud);  // of a history that is not listed any more
  TillView view = till.store->view();
  CHECK(till.acks.doubt_cloud(view));
  CHECK(till.acks.durability("sale/1") == Level::own_disk);
  CHECK(till.acks.durability("sale/2") == Level::own_disk);
  REQUIRE(till.acks.old().size() == 1);
  CHECK(till.acks.old()[0].incarnation == first);
}

namespace {

struct Keeping : TillParts {
  Retention retention{context, log, acks, forks};
  const Peer& cloud = connect_cloud();

  Keeping() {
    config.keep_ops = config.keep_journal = seconds(10);
    checkpoints.store_in_order({&repair, &log, &retention, &acks, &forks});
    for (int i = 1; i <= 5; ++i) sell("sale/" + std::to_string(i));
    checkpoint();
  }
  void pass(int count) {
    ms += count * 1000;
    checkpoint();
  }
  std::uint64_t kept() { return store->view().op_count(); }
};

}  // namespace

TEST_CASE("an op leaves the vault once the cloud holds it and its days are over, and the watermark's op stays") {
  Keeping till;
  till.pass(60);
  CHECK(till.kept() == 5);  // the cloud has none
  till.hear(till.cloud, till.ack(Level::cloud, till.point(Seq{4})));
  till.pass(60);
  CHECK(till.kept() == 3);  // the one before the watermark is the proof that the history goes on
  CHECK(till.acks.let_go().seq == Seq{2});
  till.sell("sale/6");
  till.hear(till.cloud, till.ack(Level::cloud, till.point(Seq{6})));
  till.pass(5);
  CHECK(till.store->view().op(till.log.chain().incarnation, Seq{6}).has_value());
}

TEST_CASE("nothing leaves the vault while a fork is open: it compares with what is there") {
  Keeping till;
  till.hear(till.cloud, till.ack(Level::cloud, till.point(Seq{4})));
  till.forks.add(ForkState{Incarnation{3}, {}, {}, {}, {}, {}, {}});
  till.pass(60);
  CHECK(till.kept() == 5);
  till.forks.settle_newest();
  till.pass(60);
  CHECK(till.kept() == 3);
}

TEST_CASE("a cloud that lacks what the vault has let go is asked once more, and then the history forks") {
  Keeping till;
  const ChainPoint first = till.point(Seq{1});
  till.hear(till.cloud, till.ack(Level::cloud, till.point(Seq{5})));
  till.pass(60);
  REQUIRE(till.acks.let_go().seq == Seq{3});
  const ChainId before = till.log.chain();
  Actions out;
  CHECK(till.hear(till.cloud, till.ack(Level::cloud, first)).ask_again);
  till.claims.begin_if_possible(till.repair, out);
  CHECK(till.log.chain() == before);
  CHECK_FALSE(till.hear(till.cloud, till.ack(Level::cloud, first)).ask_again);
  till.claims.begin_if_possible(till.repair, out);
  CHECK(till.log.chain() != before);
  CHECK(till.forks.newest().next_to_reissue == Seq{4});
}

TEST_CASE("a journal segment goes when all in it is stored, held by the cloud and older than its days") {
  Keeping till;
  const Bytes third = till.log.history().read(till.log.chain().incarnation, Seq{3})->bytes;
  std::vector<JournalSegment> segments(2);
  segments[0].number = 1, segments[1].number = 2;
  segments[1].first_op = third;
  TillState stored = till.checkpoints.state();
  stored.checkpoint.segment = 2;
  const std::int64_t later = till.ms + 60'000;
  CHECK(till.retention.retirable(segments, stored, later) == 0);
  till.hear(till.cloud, till.ack(Level::cloud, till.point(Seq{2})));
  CHECK(till.retention.retirable(segments, stored, later) == 1);
  CHECK(till.retention.retirable(segments, stored, till.ms) == 0);
  stored.checkpoint.segment = 1;
  CHECK(till.retention.retirable(segments, stored, later) == 0);
}
