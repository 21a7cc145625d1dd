#include "tests/network/liar.hpp"

namespace tillsync::test {

Hello Liar::hello_to(const TillId*) {
  Hello hello;
  hello.name = self_.name;
  hello.branch = self_.roster.branch;
  hello.run = 666;
  return hello;
}

void Liar::campaign() {
  const Ballot ballot{self_.roster.branch, Term{100 + ++term_}, self_.name, term_, self_.roster.lease_ms, 0,
                      self_.roster.version};
  for (PeerId id : std::set<PeerId>(up_)) {
    links_->send(id, PreVote{ballot});
    links_->send(id, RequestGrant{ballot, Binary(self_.key.sign(ballot.grant_bytes(self_.name)))});
    sent_ += 2;
  }
}

void Liar::on_message(PeerId, Message message) {
  const auto* held = std::get_if<Ack>(&message);
  const auto* offer = std::get_if<HistoryOffer>(&message);
  if (held != nullptr && offers_.size() < 64) offers_.push_back({held->chain, held->point, held->point});
  if (offer != nullptr && offers_.size() < 64) offers_.push_back(*offer);
}

void Liar::lie() {
  for (PeerId id : std::set<PeerId>(up_)) {
    for (int i = 0; i < 20; ++i) links_->send(id, a_lie());
    if (dice_.below(50) == 0) links_->send(id, the_largest());
    sent_ += 20;
  }
}

// Of a history of somebody else's.
Message Liar::a_lie() {
  HistoryOffer of;
  if (!offers_.empty()) of = offers_[dice_.below(offers_.size())];
  if (offers_.empty() || dice_.below(3) == 0) {
    const auto& members = self_.roster.members;
    of.chain = {members[dice_.below(members.size())].name, Incarnation{dice_.nonzero()}};
  }
  ChainPoint point = of.last;
  if (dice_.below(2) == 0) point.seq.value += dice_.below(1000);
  if (dice_.below(2) == 0) point.hash = blake2b(point.hash.view());
  const Level levels[] = {Level::own_disk, Level::two_disks, Level::host, Level::cloud};
  switch (dice_.below(200) == 0 ? 8 : dice_.below(8)) {  // who forges is let go at once
    case 0:
      return Ack{of.chain, levels[dice_.below(4)], point};
    case 1:
      return HistoryOffer{of.chain, point, point};
    case 2:
      return Seen{{{of.chain.till, of.chain.incarnation, point.seq.next()}}};
    case 3:
      return Events{{{of.chain, point.seq.next(), Hlc{1}, {{"bread", true, 1'000'000, true}}}}};
    case 4:
      return Fetch{of.chain, Seq{1}};
    case 5:
      return Fetched{of.chain, Seq{1}, {Binary("no op")}};
    case 6:
      return DivergentBatchAck{of.chain, point};
    case 7:
      return Pages{{{"branch", "stock", 1, {}, RowVersion{1}, false, true, 0, {}, {}}}};
    default:
      return Push{of.chain, point.seq.next(), {Binary("no op")}, Binary(self_.key.sign("something else"))};
  }
}

Message Liar::the_largest() {
  constexpr std::size_t kAlmost = kMaxMessageBytes - 1024;
  switch (dice_.below(5)) {
    case 0:
      return NewRoster{Binary(Bytes(kAlmost, 'r'))};
    case 1: {
      Pull pull;
      for (int i = 0; i < 30'000; ++i) pull.positions.push_back({"branch", "kind-" + std::to_string(i), 1, {}, false});
      return pull;
    }
    case 2: {
      PullEvents pull;
      for (int i = 0; i < 30'000; ++i) pull.seen.push_back({self_.name, Incarnation{dice_.nonzero()}, Seq{1}});
      return pull;
    }
    case 3: {
      Seen seen;
      for (int i = 0; i < 30'000; ++i) seen.histories.push_back({self_.name, Incarnation{dice_.nonzero()}, Seq{1}});
      return seen;
    }
    default:
      return Push{{self_.name, Incarnation{1}}, Seq{1}, std::vector<Binary>(1000, Binary(Bytes(900, 'x'))), {}};
  }
}

}  // namespace tillsync::test
