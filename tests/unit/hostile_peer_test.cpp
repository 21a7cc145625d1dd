// What keeps a member that means harm from being anybody else's business: its rate, its handshakes, its bare word.
// tests/network/hostile_test.cpp lets it loose on a whole branch.
#include <doctest/doctest.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/ip/tcp.hpp>
#include <chrono>
#include <stdexcept>

#include "sim/world/fleet.hpp"
#include "transport/net/connect.hpp"
#include "transport/net/links.hpp"

using namespace tillsync;
using std::chrono::minutes;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

namespace {

// Admits everybody, and counts.
class Counter final : public LinkOwner {
 public:
  explicit Counter(std::string name) { hello_.name = TillId{std::move(name)}, hello_.branch = BranchId{"main"}; }
  Hello hello_to(const TillId*) override { return hello_; }
  Result<PeerInfo> admit(const noise::Key&, const Hello& hello) override {
    return PeerInfo{hello.name, Role::till, hello, {}, {}, {}, known_as};
  }
  void on_up(PeerId id, const PeerInfo& info) override { peer = id, other = info.name; }
  void on_message(PeerId, Message) override {
    ++heard;
    if (throws) throw std::runtime_error("nobody foresaw this message");
  }
  void on_unreadable(PeerId) override {}
  void on_down(PeerId) override { peer.reset(); }
  std::optional<PeerId> peer;
  TillId known_as, other;
  int heard = 0;
  bool throws = false;

 private:
  Hello hello_;
};

noise::KeyPair keys_of(std::uint8_t seed) {
  noise::Key secret{};
  secret.fill(seed);
  return noise::KeyPair::of(secret);
}

// A till that listens, and another that dials it.
struct Two {
  asio::io_context io;
  Counter till{"till-1"}, dialler{"till-2"};
  noise::KeyPair key = keys_of(1);
  Links there{io, key, till, [](const Notice&) {}};
  Links here{io, keys_of(2), dialler, [](const Notice&) {}};
  std::uint16_t port = there.listen({"127.0.0.1", 0}).value();

  void dial() { asio::co_spawn(io, here.dial(TillId{"till-1"}, key.open, {"127.0.0.1", port}), asio::detached); }
  template <class F>
  bool until(Clock::duration limit, F done) {
    for (const auto end = Clock::now() + limit; !done() && Clock::now() < end;) io.run_for(milliseconds(5));
    return done();
  }
  ~Two() {
    here.close(), there.close();
    io.run_for(milliseconds(50));
  }
};

// A branch of two that has sold once, and a connection to till-1 on which a liar speaks with till-2's key.
struct Lied {
  sim::FleetPlan plan{.tills = 2};
  sim::Fleet fleet{plan};
  sim::SimTill& till = fleet.till(1);
  static constexpr PeerId kLiar{9999};

  Lied() {
    fleet.sell(1, "before");
    REQUIRE(fleet.settle(minutes(2)));
    till.on_up(kLiar, fleet.till(2));
  }
  void hears(const Message& lie) { till.on_bytes(kLiar, encode(lie)); }
  auto said(const std::string& what) const {
    return std::ranges::count_if(till.notices(), [&](auto& each) { return each.find(what) != std::string::npos; });
  }
};

}  // namespace

TEST_CASE("who sends more than a thousand messages a second is heard no faster; all of them are heard") {
  Two two;
  two.dial();
  REQUIRE(two.until(seconds(20), [&] { return two.dialler.peer && two.till.peer; }));
  constexpr int kMessages = 1500;
  const auto start = Clock::now();
  for (int i = 0; i < kMessages; ++i) two.here.send(*two.dialler.peer, Ping{7});
  while (two.till.heard < kMessages && Clock::now() < start + seconds(60)) {
    two.io.run_for(milliseconds(1));
    const auto ms = std::chrono::duration_cast<milliseconds>(Clock::now() - start).count();
    REQUIRE(two.till.heard <= ms + Links::kBurst / milliseconds(1) + 1);
  }
  CHECK(two.till.heard == kMessages);
}

TEST_CASE("a peer whose message nobody can handle is let go at once, and the next one is welcome") {
  Two two;
  two.till.throws = true;
  two.dial();
  REQUIRE(two.until(seconds(20), [&] { return two.dialler.peer && two.till.peer; }));
  two.here.send(*two.dialler.peer, Ping{7});
  CHECK(two.until(Links::kSilence / 2, [&] { return two.till.heard == 1 && !two.till.peer; }));
  two.till.throws = false;
  REQUIRE(two.until(seconds(20), [&] { return !two.dialler.peer; }));
  two.dial();
  CHECK(two.until(seconds(20), [&] { return two.dialler.peer && two.till.peer; }));
}

TEST_CASE("a peer hears the name that it knows the other end by") {
  Two two;
  two.till.known_as = TillId{"nube"};
  two.dial();
  REQUIRE(two.until(seconds(20), [&] { return two.dialler.peer.has_value(); }));
  CHECK(two.dialler.other.text == "nube");
}

TEST_CASE("an address has so many connections that prove nothing and no more, the oldest go, and others get through") {
  using asio::ip::tcp;
  Two two;
  std::vector<tcp::socket> silent;
  for (int i = 0; i < 100; ++i) {
    tcp::socket& socket = silent.emplace_back(two.io);
    socket.open(tcp::v4());
    socket.bind({asio::ip::make_address("127.0.0.2"), 0});
    socket.connect({asio::ip::make_address("127.0.0.1"), two.port});
  }
  two.dial();
  std::size_t most = 0;
  CHECK(two.until(seconds(20), [&] {
    most = std::max(most, two.there.open_connections());
    return two.till.peer.has_value();
  }));
  CHECK(most >= Links::kMaxUnproven);
  CHECK(most <= Links::kMaxUnproven + 2);  // with the other address's, and one that is on its way out
}

// The first message of a handshake, as somebody on the Wi-Fi may have recorded it: it opens nothing, but is well
// formed.
TEST_CASE("a first handshake message that is sent again takes over no connection and says no peer is up") {
  using asio::ip::tcp;
  Two two;
  // Records what the dialler sends first, by standing between the two.
  tcp::acceptor between(two.io, {asio::ip::make_address("127.0.0.1"), 0});
  asio::co_spawn(two.io, two.here.dial(TillId{"till-1"}, two.key.open, {"127.0.0.1", between.local_endpoint().port()}),
                 asio::detached);
  tcp::socket caught(two.io);
  bool accepted = false;
  between.async_accept(caught, [&](asio::error_code error) { accepted = !error; });
  REQUIRE(two.until(seconds(20), [&] { return accepted; }));
  std::string first(4096, '\0');
  std::size_t length = 0;
  caught.async_read_some(asio::buffer(first), [&](asio::error_code, std::size_t n) { length = n; });
  REQUIRE(two.until(seconds(20), [&] { return length > 0; }));
  first.resize(length);
  caught.close();

  two.dial();  // the real one, which stays
  REQUIRE(two.until(seconds(20), [&] { return two.till.peer && two.dialler.peer; }));
  const PeerId real = *two.till.peer;
  for (int i = 0; i < 5; ++i) {
    tcp::socket replay(two.io);
    replay.connect({asio::ip::make_address("127.0.0.1"), two.port});
    replay.send(asio::buffer(first));
    two.io.run_for(milliseconds(100));
    CHECK(two.till.peer == real);
    CHECK(two.dialler.peer.has_value());
  }
}

TEST_CASE("the addresses of a name are tried by turns of family, as many as there may be") {
  using asio::ip::tcp;
  const auto at = [](const char* ip) { return tcp::endpoint(asio::ip::make_address(ip), 7800); };
  CHECK(mixed({at("10.0.0.1"), at("10.0.0.2"), at("fd00::1")}) ==
        std::vector{at("fd00::1"), at("10.0.0.1"), at("10.0.0.2")});
  CHECK(mixed(std::vector<tcp::endpoint>(100, at("10.0.0.1"))).size() == kMaxResolved);
}

TEST_CASE("a till believes a member's bare word of a forked history three times, says so, and sells on") {
  Lied shop;
  for (int i = 0; i < 10; ++i) {
    const WireChain chain = WireChain::of(shop.till.node().own().chain());
    shop.hears(Ack{chain, Level::own_disk, {Seq{1000}, blake2b("never sold")}});
    shop.fleet.world().run_for(seconds(5));
  }
  CHECK(shop.till.node().status(shop.till.now()).forks == 3);
  CHECK(shop.said("is not heeded any more") == 1);
  shop.fleet.sell(1, "after");
  REQUIRE(shop.fleet.settle(minutes(5)));
  CHECK(shop.fleet.cloud_stock().at("bread") == -2000);
}

TEST_CASE("a member that says that the cloud was put back, which the cloud did not sign, is not believed") {
  Lied shop;
  CloudReset lie{.generation = 12345, .left = {}, .wall_ms = 4'000'000'000'000, .signature = {}};
  lie.signature = Binary(shop.fleet.till(2).who().key.sign(lie.signed_part()));
  for (int i = 0; i < 10; ++i) shop.hears(lie);
  shop.fleet.world().run_for(seconds(5));
  CHECK(shop.said("began anew") == 0);
  CHECK(shop.said("did not sign") == 1);  // of ten
}
