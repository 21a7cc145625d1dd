// A cloud by HTTP, as headquarters, support and a monitoring system meet it: each with its own key, and no other's
// tenant.
#include <doctest/doctest.h>
#include <httplib.h>

#include <asio/ip/tcp.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>
#include <fstream>

#include "tests/integration/http_cloud.hpp"

using namespace tillsync;
using namespace tillsync::test;
using namespace std::chrono_literals;

namespace {

std::uint64_t resident_kib(const HttpCloud& cloud) {
  std::ifstream in("/proc/" + std::to_string(cloud.pid()) + "/status");
  for (std::string word; in >> word;) {
    if (word == "VmRSS:") return in >> word, std::stoull(word);
  }
  return 0;
}

// What it answers to these very bytes.
std::string answer_to(const HttpCloud& cloud, const std::string& request) {
  using asio::ip::tcp;
  asio::io_context io;
  tcp::socket socket(io);
  socket.connect({asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(cloud.port())});
  asio::write(socket, asio::buffer(request));
  std::string out;
  asio::error_code closed;
  asio::read_until(socket, asio::dynamic_buffer(out), "\r\n", closed);
  return out;
}

}  // namespace

TEST_CASE("no request without a key ends the cloud, or goes unanswered: paths and parameters of any bytes") {
  HttpCloud cloud;
  cloud.add_tenant("Bakery", "north");
  for (const std::string path : {"/%ff", "/v1/rows/%ff", "/v1/%ff?group=%ff", "/v1/rows/product?on_bad=%ff"}) {
    for (const std::string method : {"GET", "POST", "PUT", "HEAD", "DELETE"}) {
      for (const std::string expect : {"", "Expect: 100-continue\r\n"}) {
        const std::string answer =
            answer_to(cloud, method + " " + path + " HTTP/1.1\r\nHost: x\r\n" + expect + "Content-Length: 1\r\n\r\nx");
        CHECK_MESSAGE(answer.starts_with("HTTP/1.1 "), (method + " " + path + " " + expect));
        CHECK(answer.find(" 500 ") == std::string::npos);
      }
    }
  }
  const std::string key = cloud.key("headquarters", "Bakery");
  for (const std::string path : {"/v1/rows/%ff", "/v1/rows/product?group=%ff", "/v1/rows/product?on_bad=%ff"})
    CHECK(cloud.post(path, key, "{\"id\":\"a\"}").status != 0);
  CHECK(cloud.get("/live", "").status == 200);
}

TEST_CASE("a row that nests without end is a bad line, and the cloud goes on for its other tenants") {
  HttpCloud cloud;
  cloud.add_tenant("Bakery", "north");
  const std::string key = cloud.key("headquarters", "Bakery");
  const std::size_t depth = 500'000;
  const auto deep =
      cloud.post("/v1/rows/product", key,
                 "{\"id\":\"a\",\"x\":" + std::string(depth, '[') + std::string(depth, ']') + "}\n{\"id\":\"b\"}\n");
  CHECK(deep.status == 200);
  CHECK(deep.body.find("it nests more than 32 levels deep") != std::string::npos);
  CHECK(deep.body.find("\"rows\":1") != std::string::npos);
  CHECK(cloud.get("/live", "").status == 200);
}

TEST_CASE("each key opens what its role needs, of its own tenant; everything else is refused, counted and explained") {
  HttpCloud cloud;
  cloud.add_tenant("Bakery", "north");
  cloud.add_tenant("Butcher", "south");
  std::map<std::string, std::string> keys;
  for (const std::string role : {"headquarters", "support", "manager"}) keys[role] = cloud.key(role, "Bakery");
  keys["metrics"] = cloud.key("metrics", "");
  keys["butcher"] = cloud.key("headquarters", "Butcher");
  keys["none"] = "";
  keys["wrong"] = std::string(keys["metrics"].size(), '0');

  const std::map<std::string, std::string> allowed = {// path -> who
                                                      {"/metrics", "metrics"},
                                                      {"/v1/fleet", "headquarters support manager butcher"},
                                                      {"/v1/conflicts", "support manager"},
                                                      {"/v1/webhook", "headquarters support butcher"},
                                                      {"/v1/webhook/aside", "headquarters support butcher"},
                                                      {"/v1/rows/product/checkpoint", "headquarters butcher"}};
  for (const auto& [path, who] : allowed) {
    for (const auto& [name, key] : keys) {
      const int expected = name == "none" || name == "wrong" ? 401 : who.find(name) != std::string::npos ? 200 : 403;
      const auto answer = cloud.get(path, key);
      const std::string asked = std::string(path) + " as " + name + ": " + answer.body;
      CHECK_MESSAGE(answer.status == expected, asked);
    }
  }
  CHECK(cloud.get("/live", "").status == 200);
  CHECK(cloud.get("/ready", "").status == 200);
  CHECK(cloud.get("/v1/nothing", keys["support"]).status == 404);
  CHECK(cloud.get("/elsewhere", keys["support"]).status == 404);
  CHECK(cloud.post("/v1/rows/product", keys["support"], "{\"id\":\"a\"}\n").status == 403);
  CHECK(cloud.post("/v1/fleet", keys["support"], "x").status == 405);

  // Rows of one tenant are nobody else's.
  CHECK(cloud.post("/v1/rows/product", keys["headquarters"], "{\"id\":\"bun\",\"price\":100}\n").status == 200);
  CHECK(cloud.ask(api::RowsRequest{{"north"}}).size() == 1);
  CHECK(cloud.ask(api::RowsRequest{{"south"}}).empty());
  CHECK(cloud.get("/v1/rows/product/checkpoint", keys["butcher"]).body == "{\"checkpoint\":\"\"}\n");
  const std::string fleet = cloud.get("/v1/fleet", keys["butcher"]).body;
  CHECK(fleet.find("south") != std::string::npos);
  CHECK(fleet.find("north") == std::string::npos);
  const std::string metrics = cloud.get("/metrics", keys["metrics"]).body;
  CHECK(metrics.find("tillsync_refused_total{tenant=\"Bakery\",branch=\"\",reason=\"not_allowed\"}") !=
        std::string::npos);
  CHECK(metrics.find("tillsync_refused_total{tenant=\"\",branch=\"\",reason=\"wrong_key\"}") != std::string::npos);
  CHECK(metrics.find("tillsync_branch_silent_seconds{tenant=\"Butcher\",branch=\"south\"}") != std::string::npos);
  const Outcome list = run({"status", "--fleet", "--data", cloud.folder()});
  CHECK(list.out.find("never heard of") != std::string::npos);
  CHECK(list.out.find("0 of 2 are well") != std::string::npos);
  const Outcome doctor = run({"doctor", "--data", cloud.folder()});
  CHECK_MESSAGE(doctor.code == 0, doctor.out);
  CHECK(doctor.out.find("never heard of") != std::string::npos);
  CHECK(shell("chmod 644 " + cloud.folder() + "/identity.key").code == 0);
  CHECK(run({"doctor", "--data", cloud.folder()}).out.find("! permissions") != std::string::npos);
  const std::string id = keys["manager"].substr(4, 16);
  CHECK(run({"operator", "remove", id, "--data", cloud.folder()}).code == 0);
  CHECK(cloud.get("/v1/fleet", keys["manager"]).status == 401);

  // Who asks without end is told when to come back, and others are not held up.
  int told = 0;
  for (int i = 0; i < 400 && told == 0; ++i) {
    const auto answer = cloud.get("/v1/webhook", keys["support"]);
    if (answer.status == 429 && answer.body.find("come back in") != std::string::npos) ++told;
  }
  CHECK(told == 1);
  CHECK(cloud.get("/v1/webhook", keys["headquarters"]).status == 200);
}

TEST_CASE(
    "rows by HTTP: bad lines are told by number, what is sent again goes on, a line without end costs no memory") {
  HttpCloud cloud;
  cloud.add_tenant("Bakery", "north");
  const std::string key = cloud.key("headquarters", "Bakery");
  const std::string file = "{\"id\":\"a\",\"price\":1}\nnonsense\n{\"id\":\"b\"}\n{\"id\":\"\"}\n{\"id\":\"c\"}";
  const auto skipped = Json::parse(cloud.post("/v1/rows/product", key, file).body);
  CHECK(skipped["rows"] == 3);
  CHECK(skipped["left_out"] == 2);
  CHECK(skipped["bad"][0] == Json{{"line", 2}, {"why", "no JSON object"}});
  const auto stopped = cloud.post("/v1/rows/tax?on_bad=stop", key, file);
  CHECK(stopped.status == 422);
  CHECK(stopped.body.find("line 2: no JSON object; what comes before it is imported") != std::string::npos);
  const std::string mended = "{\"id\":\"a\",\"price\":1}\n{\"id\":\"b\"}\n";
  const auto resumed = Json::parse(cloud.post("/v1/rows/tax?resume=true", key, mended).body);
  CHECK(resumed["resumed_after_line"] == 1);
  CHECK(resumed["rows"] == 1);
  CHECK(cloud.post("/v1/rows/tax?on_bad=maybe", key, mended).status == 400);
  CHECK(cloud.post("/v1/rows/stock", key, mended).body.find("can't be imported") != std::string::npos);
  (void)cloud.post("/v1/rows/tax?on_bad=stop", key, "{\"id\":\"q\"}\nbad\n");
  CHECK(cloud.post("/v1/rows/tax?resume=true", key, "{\"id\":\"another file\"}\n{\"id\":\"x\"}\n").status == 409);
  CHECK(cloud.post("/v1/rows/a-kind-nobody-knows", key, "{\"id\":\"kept\"}\n").status == 200);

  const std::uint64_t before = resident_kib(cloud);
  const std::size_t size = 256 << 20;
  const std::string piece(1 << 20, 'x');
  httplib::Client client("127.0.0.1", cloud.port());
  client.set_read_timeout(60);
  client.set_bearer_token_auth(key);
  const auto endless = client.Post(
      "/v1/rows/product", size + 15,
      [&](std::size_t at, std::size_t, httplib::DataSink& sink) {
        const std::string end = "\n{\"id\":\"after\"}";
        return at < size ? sink.write(piece.data(), std::min(piece.size(), size - at))
                         : sink.write(end.data(), end.size());
      },
      "application/x-ndjson");
  REQUIRE(endless);
  CHECK(endless->body.find("{\"line\":1,\"why\":\"longer than 1 MiB\"}") != std::string::npos);
  CHECK(Json::parse(endless->body)["rows"] == 1);
  CHECK(resident_kib(cloud) < before + 32 * 1024);
}
