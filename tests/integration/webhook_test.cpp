// Headquarters' end of a webhook, in every mood that such endpoints have. Whatever it does, tills sell, other branches'
// ops arrive, and in the end each op is there once and in its till's order.
#include <doctest/doctest.h>
#include <httplib.h>
#include <openssl/x509.h>

#include <mutex>

#include "storage/disk/data_folder.hpp"
#include "tests/integration/http_cloud.hpp"
#include "tests/integration/paired_shop.hpp"
#include "tools/client/folder.hpp"
#include "transport/http/webhooks.hpp"

using namespace tillsync;
using namespace tillsync::test;
using namespace std::chrono_literals;

namespace {

class Receiver {
 public:
  enum class Mood { fine, error, moved, refuses, trickles, silent };

  Receiver() {
    server_.Post("/hook", [this](const httplib::Request& in, httplib::Response& out) { answer(in, out); });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~Receiver() {
    mood = Mood::fine;
    server_.stop();
    thread_.join();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/hook"; }
  std::vector<std::string> keys() {  // of sales, as they came in
    const std::lock_guard lock(mutex_);
    return sales_;
  }
  int attempts() const { return attempts_; }

  std::atomic<Mood> mood = Mood::error;  // until the secret is known
  std::string secret;

 private:
  void answer(const httplib::Request& in, httplib::Response& out) {
    ++attempts_;
    switch (mood.load()) {
      case Mood::fine:
        return take(in);
      case Mood::error:
        return void(out.status = 500);
      case Mood::moved:
        return out.set_redirect("http://127.0.0.1:9/elsewhere", 301);
      case Mood::refuses:
        return void(out.status = 422);
      case Mood::trickles:
        return out.set_chunked_content_provider("text/plain", [this](std::size_t, httplib::DataSink& sink) {
          std::this_thread::sleep_for(200ms);
          return mood == Mood::trickles && sink.write(".", 1);
        });
      case Mood::silent:
        while (mood == Mood::silent) std::this_thread::sleep_for(50ms);
        out.status = 500;
    }
  }
  void take(const httplib::Request& in) {
    const std::int64_t at = std::stoll(in.get_header_value("Tillsync-Timestamp"));
    CHECK(in.get_header_value("Tillsync-Signature") == webhook_signature(secret, at, in.body));
    const std::lock_guard lock(mutex_);
    const auto [it, fresh] = seen_.emplace(in.get_header_value("Idempotency-Key"), in.body);
    CHECK(it->second == in.body);
    if (!fresh) return;
    const Json body = Json::parse(in.body);
    for (const Json& op : body["ops"]) {
      CHECK(ids_.insert(op["id"]).second);
      if (op["kind"] == "sale") sales_.push_back(op["key"]);
    }
  }

  httplib::Server server_;
  std::thread thread_;
  int port_ = 0;
  std::atomic<int> attempts_ = 0;
  std::mutex mutex_;
  std::map<std::string, std::string> seen_;
  std::set<std::string> ids_;
  std::vector<std::string> sales_;
};

api::WebhookBranch hook_at(PairedShop& shop) {
  return shop.ask("cloud", api::WebhookShowRequest{}).branches.value().at(0);
}

}  // namespace

TEST_CASE("the signature is HMAC-SHA-256 over the timestamp and the body") {
  // echo -n '1700000000.{"ops":[]}' | openssl dgst -sha256 -hmac 0123
  CHECK(webhook_signature("0123", 1'700'000'000, "{\"ops\":[]}") ==
        "v1=3e89764535868f36d26a3ccf2a4c076ace21beebe210b15b8ec532897b20559a");
}

TEST_CASE(
    "a webhook that fails in every way gets everything in the end, once and in order; an outage sets nothing aside") {
  PairedShop shop;
  Receiver receiver;
  std::vector<std::string> sold;
  const auto sell = [&] {
    sold.push_back("s/" + std::to_string(sold.size()));
    shop.record("till-1", "sale", sold.back(), "bread");
  };
  sell();
  shop.settle_down();
  const Outcome set = shop.tell({"webhook", "set", receiver.url(), "--from-start"}, "cloud");
  REQUIRE(set.code == 0);
  receiver.secret = after(set.out, "secret ");
  receiver.mood = Receiver::Mood::fine;
  CHECK(within(10s, [&] { return receiver.keys() == sold; }));

  using Mood = Receiver::Mood;
  const std::map<Mood, std::string> why = {
      {Mood::error, "it answered 500"},
      {Mood::moved, "301, a redirection to http://127.0.0.1:9/elsewhere, which is not followed"},
      {Mood::refuses, "it answered 422"},
      {Mood::silent, "did not answer in time"},
      {Mood::trickles, "did not answer in time"}};
  for (const auto& [mood, words] : why) {
    receiver.mood = mood;
    sell(), sell();
    shop.settle_down();  // the cloud takes sales as before
    const std::string expected = words;
    CHECK_MESSAGE(within(25s, [&] { return hook_at(shop).why.find(expected) != std::string::npos; }), expected);
    CHECK(hook_at(shop).set_aside == 0);
    receiver.mood = Mood::fine;
    CHECK_MESSAGE(within(15s, [&] { return receiver.keys() == sold; }), expected);
  }
  CHECK(shop.tell({"webhook", "show"}, "cloud").out.find("0 waiting") != std::string::npos);

  // It says again and again that it will not have these: then people are asked, and the rest goes on.
  receiver.mood = Mood::refuses;
  shop.record("till-1", "sale", "poison", "bread");
  CHECK(within(60s, [&] { return hook_at(shop).set_aside == 1; }));
  receiver.mood = Mood::fine;
  sell();
  CHECK(within(15s, [&] { return receiver.keys() == sold; }));
  const std::string aside = shop.tell({"webhook", "aside"}, "cloud").out;
  CHECK(aside.find("it answered 422 5 times") != std::string::npos);
  CHECK(shop.tell({"webhook", "replay"}, "cloud").out.find("1 deliveries are on their way again") != std::string::npos);
  sold.emplace_back("poison");
  CHECK(within(15s, [&] { return receiver.keys() == sold; }));

  // The cloud is killed in the middle: what was on its way comes again, under the same key.
  for (int i = 0; i < 20; ++i) sell();
  shop.stop_cloud();
  for (int i = 0; i < 20; ++i) sell();
  shop.start_cloud();
  CHECK(within(40s, [&] { return receiver.keys() == sold; }));
  CHECK(shop.tell({"webhook", "set", "ftp://elsewhere"}, "cloud").err.find("is no address of a webhook") !=
        std::string::npos);
  CHECK(shop.tell({"webhook", "remove"}, "cloud").code == 0);
}

namespace {

using Certificate_ = std::unique_ptr<X509, decltype(&X509_free)>;
using Key_ = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Certificate_ expired_certificate(EVP_PKEY* key) {
  Certificate_ out(X509_new(), X509_free);
  X509_gmtime_adj(X509_getm_notBefore(out.get()), -7200);
  X509_gmtime_adj(X509_getm_notAfter(out.get()), -3600);
  X509_set_pubkey(out.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(out.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(out.get(), X509_get_subject_name(out.get()));
  X509_sign(out.get(), key, EVP_sha256());
  return out;
}

}  // namespace

TEST_CASE("a webhook with an expired certificate gets nothing, and people are told why") {
  const Key_ key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const Certificate_ certificate = expired_certificate(key.get());
  httplib::SSLServer server(certificate.get(), key.get());
  server.Post("/hook", [](const httplib::Request&, httplib::Response&) { FAIL_CHECK("it was sent something"); });
  const int port = server.bind_to_any_port("127.0.0.1");
  std::thread thread([&] { server.listen_after_bind(); });
  while (!server.is_running()) std::this_thread::yield();
  const WebhookAnswer answer =
      post_delivery({"https://localhost:" + std::to_string(port) + "/hook", "s", 0}, "k", "{}", 5s);
  CHECK(answer.status == 0);
  CHECK_MESSAGE(answer.trouble.find("its certificate is not valid") != std::string::npos, answer.trouble);
  server.stop();
  thread.join();
}
