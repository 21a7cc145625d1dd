// A cloud that tenants who know nothing of each other share: what one of them sends is no business of the others'.
#include <doctest/doctest.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <stdexcept>

#include "engine/cloud/ingest/ingest.hpp"
#include "engine/lone_history.hpp"
#include "tests/scratch.hpp"
#include "tests/unit/keys.hpp"
#include "transport/api/remote.hpp"
#include "transport/cloud/cloud_runtime.hpp"

using namespace tillsync;
using namespace tillsync::test;

namespace {

// With tenants whose branches each have one supporter.
class SharedCloud {
 public:
  struct Tenant {
    SecretKey support;
    Roster roster;
  };

  SharedCloud() {
    CloudRuntime::Options options;
    options.folder = folder_ / "cloud";
    options.listen = {"127.0.0.1", 0};
    cloud_ = std::move(CloudRuntime::open(options, [](const Notice&) {}).value());
  }

  // `calls_it`: the cloud's name in its roster.
  Tenant tenant(std::uint8_t number, const std::string& calls_it) {
    const SecretKey tenant = key_number(number);
    Tenant out{key_number(static_cast<std::uint8_t>(number + 1)), {}};
    out.roster.tenant = "tenant " + std::to_string(number);
    out.roster.keys = TenantKeys::founded(tenant.public_key(), tenant.public_key());
    out.roster.branch = BranchId{"main"};
    out.roster.add({TillId{calls_it}, Binary(cloud_->key().view()), Role::cloud, 0});
    out.roster.add({TillId{"support"}, Binary(out.support.public_key().view()), Role::support, 0});
    out.roster.sign(tenant);
    std::promise<Result<void>> taken;
    asio::post(cloud_->io(),
               [&] { cloud_->take_roster(out.roster, [&](Result<void> done) { taken.set_value(std::move(done)); }); });
    REQUIRE(taken.get_future().get());
    return out;
  }

  CloudRuntime& cloud() { return *cloud_; }
  Address address() const { return {"127.0.0.1", cloud_->port()}; }

 private:
  const Folder folder_;
  std::unique_ptr<CloudRuntime> cloud_;
};

// Hangs up when it has heard by what name the cloud answers.
class Caller final : public LinkOwner {
 public:
  explicit Caller(const SharedCloud::Tenant& tenant) {
    hello_.name = TillId{"support"}, hello_.branch = tenant.roster.branch;
    hello_.roster = Binary(tenant.roster.encoded());
  }
  Hello hello_to(const TillId*) override { return hello_; }
  Result<PeerInfo> admit(const noise::Key&, const Hello& hello) override {
    heard = hello.name.text;
    return fail(ErrorKind::refused, "that was all");
  }
  void on_up(PeerId, const PeerInfo&) override {}
  void on_message(PeerId, Message) override {}
  void on_unreadable(PeerId) override {}
  void on_down(PeerId) override {}
  std::string heard;

 private:
  Hello hello_;
};

std::string answered_as(const SharedCloud& shared, CloudRuntime& cloud, const SharedCloud::Tenant& tenant) {
  asio::io_context io;
  Caller caller(tenant);
  Links links(io, noise::KeyPair::of(tenant.support.x25519()), caller, [](const Notice&) {});
  asio::co_spawn(io, links.dial(TillId{"cloud"}, *cloud.key().x25519(), shared.address()), asio::detached);
  io.run_for(seconds(10));
  return caller.heard;
}

// Answers every question with the same text, whatever it is.
class OddCloud final : public LinkOwner {
 public:
  explicit OddCloud(std::string answer) : answer_(std::move(answer)) {
    port = links_.listen({"127.0.0.1", 0}).value();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~OddCloud() override {
    asio::post(io_, [this] { links_.close(), io_.stop(); });
    thread_.join();
  }
  Hello hello_to(const TillId*) override {
    Hello hello;
    hello.name = TillId{"cloud"}, hello.branch = BranchId{"cloud"};
    return hello;
  }
  Result<PeerInfo> admit(const noise::Key&, const Hello& hello) override {
    return PeerInfo{hello.name, Role::support, hello, {}, {}, {}, {}};
  }
  void on_up(PeerId, const PeerInfo&) override {}
  void on_message(PeerId id, Message) override { links_.send(id, Answer{1, answer_}); }
  void on_unreadable(PeerId) override {}
  void on_down(PeerId) override {}
  std::uint16_t port = 0;

 private:
  std::string answer_;
  asio::io_context io_{1};
  Links links_{io_, noise::KeyPair::of(key_number(9).x25519()), *this, [](const Notice&) {}};
  std::thread thread_;
};

}  // namespace

TEST_CASE("whatever a cloud answers from afar is conflicts, or an error: it neither throws nor reads as no conflicts") {
  Roster roster;
  roster.branch = BranchId{"main"};
  roster.add({TillId{"cloud"}, Binary(key_number(9).public_key().view()), Role::cloud, 0});
  roster.add({TillId{"support"}, Binary(key_number(8).public_key().view()), Role::support, 0});
  const auto asked = [&](const std::string& answer) {
    const OddCloud cloud(answer);
    return ask_conflicts({TillId{"cloud"}, {"127.0.0.1", cloud.port}, key_number(8), roster});
  };
  CHECK(asked(R"({"error":"the database does not answer"})").error().message == "the database does not answer");
  for (const std::string answer : {R"({"kind":"io","message":"the database does not answer"})", R"({"error":5})",
                                   R"({"conflicts":[],"rosters":5})", R"({"conflicts":5})", "null", "[",
                                   R"({"conflicts":[{"record":"zz"}],"more":true})", R"({"conflicts":[5]})", R"({})"})
    CHECK_MESSAGE(asked(answer).error().message.starts_with("what came back is not understood"), answer);
  CHECK(asked(std::string(500'000, '[')).error().kind == ErrorKind::invalid);
  CHECK(asked(R"({"conflicts":[],"more":true,"rosters":{}})").has_value());
  const auto busy = asked(R"({"kind":"busy","message":"try again","error":"try again"})");
  CHECK(busy.error().kind == ErrorKind::busy);
}

TEST_CASE("each tenant's peers hear the name that their own roster has for the cloud, whatever others call it") {
  SharedCloud shared;
  const auto bakery = shared.tenant(10, "cloud"), butcher = shared.tenant(20, "nube");
  for (int i = 0; i < 3; ++i) {
    CHECK(answered_as(shared, shared.cloud(), bakery) == "cloud");
    CHECK(answered_as(shared, shared.cloud(), butcher) == "nube");
  }
  auto renamed = bakery;  // by its own tenant: who has the newer roster hears the newer name, who has not the older
  renamed.roster.version = 2;
  renamed.roster.members.clear();
  renamed.roster.add({TillId{"heaven"}, Binary(shared.cloud().key().view()), Role::cloud, 0});
  renamed.roster.add({TillId{"support"}, Binary(bakery.support.public_key().view()), Role::support, 0});
  renamed.roster.sign(key_number(10));
  CHECK(answered_as(shared, shared.cloud(), renamed) == "heaven");
  CHECK(answered_as(shared, shared.cloud(), bakery) == "cloud");
  CHECK(answered_as(shared, shared.cloud(), butcher) == "nube");
}

TEST_CASE("conflicts whose text is not UTF-8 are shown to a supporter from afar, and the cloud goes on") {
  SharedCloud shared;
  const auto bakery = shared.tenant(10, "cloud");
  const BranchKey shop{bakery.roster.keys.id(), bakery.roster.branch};
  const Policies policies;
  const auto written = shared.cloud().with_database([&](CloudStore& store) {
    return store.write([&](CloudTxn& txn) -> Result<void> {
      txn.lock({shop});
      Ingest ingest = IngestPlan(txn, 1, policies).read();
      for (std::uint8_t till = 1; till <= 2; ++till) {
        OpDraft sale;
        sale.key = "twice";
        sale.cashier = "J\xfcrgen";
        sale.document.lines.push_back({"caf\xe9 " + std::to_string(till), {1000}, 350, {}});
        const TillId name{"till-" + std::to_string(till)};
        ingest.branch(shop).push(read_ops(sign_alone(sale, shop.branch, name, key_number(till), {}, 1)));
      }
      std::move(ingest).close({});
      return {};
    });
  });
  REQUIRE(written);
  for (int i = 0; i < 2; ++i) {
    const auto seen = ask_conflicts({TillId{"cloud"}, shared.address(), bakery.support, bakery.roster});
    REQUIRE_MESSAGE(seen.has_value(), seen.error().message);
    REQUIRE(seen->conflicts.size() == 1);
    CHECK(seen->conflicts[0].sides[0].cashier == "J\xfcrgen");
  }
}

TEST_CASE("what is thrown while the cloud's database or core is asked is the asker's answer, and ends nothing") {
  SharedCloud shared;
  const auto fails = [](CloudStore&) -> Result<void> { throw std::runtime_error("nobody foresaw this"); };
  CHECK(shared.cloud().with_database(fails).error().detail == "nobody foresaw this");
  std::promise<Result<void>> later;
  shared.cloud().on_database(fails, [&](Result<void> done) { later.set_value(std::move(done)); });
  CHECK(later.get_future().get().error().detail == "nobody foresaw this");
  CHECK_THROWS_AS(shared.cloud().ask([]() -> int { throw std::runtime_error("nor this"); }), std::runtime_error);
  CHECK(shared.cloud().ask([] { return 1; }) == 1);
}
