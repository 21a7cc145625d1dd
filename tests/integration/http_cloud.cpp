#include "tests/integration/http_cloud.hpp"

#include <httplib.h>

#include <asio/ip/tcp.hpp>

#include "tools/client/folder.hpp"

namespace tillsync::test {

int free_port() {
  asio::io_context io;
  using asio::ip::tcp;
  return tcp::acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)).local_endpoint().port();
}

HttpCloud::HttpCloud() : port_(free_port()) {
  REQUIRE(run({"cloud", "init", "--data", folder()}).code == 0);
  process_.emplace("cloud", folder(),
                   std::vector<std::string>{program(), "cloud", "--data", folder(), "--http",
                                            "127.0.0.1:" + std::to_string(port_), "--listen", "127.0.0.1:0"});
  process_->start();
  (void)process_->connect();
}

void HttpCloud::add_tenant(const std::string& tenant, const std::string& branch) {
  const std::string out = f / tenant;
  const std::string key = after(run({"status", "--data", folder()}).out, "key ");
  REQUIRE(run({"roster", "init", "--out", out, "--tenant", tenant, "--branch", branch}).code == 0);
  REQUIRE(run({"roster", "add", "--roster", out + "/" + branch + ".roster", "--tenant-key", out + "/tenant.key",
               "--name", "cloud", "--role", "cloud", "--key", key})
              .code == 0);
  REQUIRE(run({"roster", "import", out + "/" + branch + ".roster", "--data", folder()}).code == 0);
}

std::string HttpCloud::key(const std::string& role, const std::string& tenant) {
  std::vector<std::string> command{"operator", "add", "--data", folder(), "--role", role, "--name", role};
  if (!tenant.empty()) command.insert(command.end(), {"--tenant", tenant});
  std::string out = run(command).out;
  out.pop_back();
  return out;
}

HttpAnswer HttpCloud::get(const std::string& path, const std::string& key) {
  httplib::Client client("127.0.0.1", port_);
  if (!key.empty()) client.set_bearer_token_auth(key);
  const auto answer = client.Get(path);
  return answer ? HttpAnswer{answer->status, answer->body} : HttpAnswer{};
}

HttpAnswer HttpCloud::post(const std::string& path, const std::string& key, const std::string& body) {
  httplib::Client client("127.0.0.1", port_);
  client.set_read_timeout(60);
  client.set_bearer_token_auth(key);
  const auto answer = client.Post(path, body, "application/x-ndjson");
  return answer ? HttpAnswer{answer->status, answer->body} : HttpAnswer{};
}

}  // namespace tillsync::test
