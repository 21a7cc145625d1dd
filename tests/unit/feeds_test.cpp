// Pulls of rows and stock events: whom a till asks, and when it answers.
#include "engine/till/feed_follower.hpp"
#include "engine/till/feed_server.hpp"
#include "storage/model/row_edit.hpp"
#include "tests/unit/till_parts.hpp"

using namespace tillsync;
using test::TillParts;

namespace {

struct Feeding : TillParts {
  RowReader rows{*store, config.branch};
  StockSweep sweep{context, stock, rows, acks};
  FeedFollower follower{context, rows, stock, sweep, log, generation, health, timer};
  FeedServer server{context, peers, log, acks, replicas, health};

  Feeding() { checkpoints.store_in_order({&repair, &log, &follower, &sweep, &acks, &forks}); }

  Actions follow(const Peer* up) {
    Actions out;
    follower.follow(up);
    if (up != nullptr) follower.pull(*up, out);
    return out;
  }
  Actions answer(bool storing = false) {
    Actions out;
    server.answer(storing, out);
    return out;
  }
  Pages one_row(std::uint64_t version) const {
    Page page;
    page.feed = "tenant", page.kind = "product";
    page.generation = 1;
    page.from = RowVersion{version - 1}, page.to = RowVersion{version};
    const Row row{"bread", RowVersion{version}, false, join_fields({})};
    page.rows.push_back({row.id, row.version, false, Binary(row.fields)});
    page.live_sum = live_sum(row);
    page.snapshot = version == 1;
    return {{page}};
  }
  void sell_bread(const std::string& key) {
    OpDraft draft;
    draft.key = key;
    draft.document.currency = "EUR";
    draft.document.lines.push_back({});
    draft.document.lines.back().sku = "bread";
    draft.document.lines.back().quantity = Quantity{1000};
    Actions out;
    TillView view = store->view();
    log.record(view, ReplyTo{1}, ValidDraft::of(draft).value(), out);
    flush();
    server.on_changed();
  }
};

}  // namespace

TEST_CASE("a till pulls from whoever is the way up, once, and anew when another is") {
  Feeding till;
  const Peer& host = till.connect(2);
  const Peer& next = till.connect(3);
  CHECK(test::sent<Pull>(till.follow(&host), host.id).size() == 1);
  CHECK(till.follow(&host).sends.empty());
  const Actions changed = till.follow(&next);
  CHECK(test::sent<Pull>(changed, next.id).size() == 1);
  CHECK(test::sent<PullEvents>(changed, next.id).size() == 1);
  till.follow(nullptr);
  CHECK(test::sent<Pull>(till.follow(&next), next.id).size() == 1);
}

TEST_CASE("pages of somebody who was not asked are nothing; the next pull waits until the last one is stored") {
  Feeding till;
  const Peer& host = till.connect(2);
  const Peer& other = till.connect(3);
  till.follow(&host);
  till.follower.on_pages(other, &host, till.one_row(1));
  CHECK_FALSE(till.rows.dirty());
  till.follower.on_pages(host, &host, till.one_row(1));
  CHECK(till.rows.dirty());
  CHECK(till.follow(&host).sends.empty());
  till.checkpoint();
  CHECK(till.store->view().row({"tenant", "product"}, "bread").has_value());
  const auto pulls = test::sent<Pull>(till.follow(&host), host.id);
  REQUIRE(pulls.size() == 1);
  REQUIRE(pulls[0].positions.size() == 1);
  CHECK(pulls[0].positions[0].version == RowVersion{1});
}

TEST_CASE("a pull of rows waits until there is something new, and is answered between checkpoints only") {
  Feeding till;
  const Peer& host = till.connect(2);
  const Peer& reader = till.connect(3);
  Actions out;
  REQUIRE(till.server.on_pull(reader, Pull{{"tenant"}, {}}, out));
  CHECK(till.answer().sends.empty());
  till.follow(&host);
  till.follower.on_pages(host, &host, till.one_row(1));
  till.checkpoint();
  till.server.on_changed();
  CHECK(till.answer(true).sends.empty());
  CHECK(test::sent<Pages>(till.answer(), reader.id).size() == 1);
  till.server.on_changed();
  CHECK(till.answer().sends.empty());
}

TEST_CASE("a sale goes to a waiting reader as soon as it is on the disk, and to each reader once") {
  Feeding till;
  const Peer& reader = till.connect(3);
  Actions out;
  till.server.on_pull_events(reader, {}, out);
  CHECK(till.answer().sends.empty());
  till.sell_bread("sale/1");
  const auto events = test::sent<Events>(till.answer(true), reader.id);
  REQUIRE(events.size() == 1);
  REQUIRE(events[0].ops.size() == 1);
  CHECK(events[0].ops[0].moves[0].milli == -1000);
  till.sell_bread("sale/2");
  CHECK(till.answer().sends.empty());
  const ChainId own = till.log.chain();
  till.server.on_pull_events(reader, PullEvents{{{own.till, own.incarnation, Seq{1}}}}, out);
  const auto rest = test::sent<Events>(till.answer(), reader.id);
  REQUIRE(rest.size() == 1);
  CHECK(rest[0].ops[0].seq == Seq{2});
}

TEST_CASE("a till whose disk may have gone back is told how far its sales were seen") {
  Feeding till;
  const Peer& host = till.connect(2);
  const Peer& other = till.connect(3);
  till.follow(&host);
  const WireChain chain{other.name, Incarnation{30}};
  till.follower.on_events(till.at(), host,
                          Events{{{chain, Seq{7}, Hlc::at(till.ms), {{"bread", false, -1000, false}}}}});
  Actions out;
  till.follower.tell_seen(other, out);
  const auto seen = test::sent<Seen>(out, other.id);
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].histories[0].seq == Seq{7});
  till.follower.on_events(till.at(), other, {});
  CHECK(till.health.refused() == 1);  // it was not asked
}
