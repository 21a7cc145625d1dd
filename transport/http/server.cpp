#include "transport/http/server.hpp"

#include <asio/ip/address.hpp>
#include <tillsync/time.hpp>

#include "transport/api/errors.hpp"

namespace tillsync {

namespace {

constexpr std::size_t kThreads = 8;

// httplib catches what a route throws, and nothing else: neither what its 100-continue handler throws, nor its own
// reading of a request. Of those the request ends, and not the process.
class Workers final : public httplib::ThreadPool {
 public:
  Workers() : ThreadPool(kThreads) {}
  void enqueue(std::function<void()> work) override {
    ThreadPool::enqueue([work = std::move(work)] {
      try {
        work();
      } catch (...) {
      }
    });
  }
};

void answer_defect(httplib::Response& response) {
  answer_error(response, 500, ErrorKind::io, "something went wrong that should not: nothing of this request counts");
}

bool is_loopback(const std::string& host) {
  if (host == "localhost") return true;
  asio::error_code error;
  const auto address = asio::ip::make_address(host, error);
  return !error && address.is_loopback();
}

std::unique_ptr<httplib::Server> make_server(const HttpSettings& settings) {
  if (settings.certificate.empty()) return std::make_unique<httplib::Server>();
  return std::make_unique<httplib::SSLServer>(settings.certificate.c_str(), settings.private_key.c_str());
}

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid:
      return 400;
    case ErrorKind::not_found:
      return 404;
    case ErrorKind::busy:
      return 409;
    case ErrorKind::refused:
      return 403;
    default:
      return 503;
  }
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpSettings& settings, Gate gate, const Routes& routes) {
  const auto let_on = [gate = std::move(gate)](const httplib::Request& request, httplib::Response& response) {
    try {
      return gate(request, response);
    } catch (...) {
      return answer_defect(response), false;
    }
  };
  const Address& address = *settings.listen;
  if (settings.certificate.empty() && !is_loopback(address.host)) {
    return fail(ErrorKind::invalid, "HTTP at " + address.text() +
                                        " would send keys in the clear: give http.certificate and http.private_key, or "
                                        "listen on 127.0.0.1 behind a proxy");
  }
  std::unique_ptr<HttpServer> out(new HttpServer);
  out->server_ = make_server(settings);
  httplib::Server& server = *out->server_;
  if (!server.is_valid())
    return fail(
        ErrorKind::invalid,
        "http.certificate or http.private_key can't be used: check that both are PEM files and belong together");
  server.new_task_queue = [] { return new Workers; };
  server.set_keep_alive_timeout(5);
  server.set_read_timeout(10);
  server.set_write_timeout(10);
  // Who asks first whether to send a large body hears "no" instead of "go on", and not only when it is half sent.
  server.set_expect_100_continue_handler([let_on](const httplib::Request& request, httplib::Response& response) {
    if (let_on(request, response)) return 100;
    response.set_header("Connection", "close");  // what it sends all the same is no request
    response.set_header("Content-Length", std::to_string(response.body.size()));
    return response.status;
  });
  server.set_pre_routing_handler([let_on](const httplib::Request& request, httplib::Response& response) {
    return let_on(request, response) ? httplib::Server::HandlerResponse::Unhandled
                                     : httplib::Server::HandlerResponse::Handled;
  });
  server.set_exception_handler(
      [](const httplib::Request&, httplib::Response& response, std::exception_ptr) { answer_defect(response); });
  routes(server);
  const int port = address.port == 0                                 ? server.bind_to_any_port(address.host)
                   : server.bind_to_port(address.host, address.port) ? address.port
                                                                     : -1;
  if (port <= 0)
    return fail(ErrorKind::refused, "can't listen for HTTP at " + address.text() + ": is another process there?");
  out->port_ = static_cast<std::uint16_t>(port);
  out->thread_ = std::thread([&server] { server.listen_after_bind(); });
  for (int i = 0; i < 5000 && !server.is_running(); ++i)  // stop() before that would be without effect
    std::this_thread::sleep_for(milliseconds(1));
  return out;
}

HttpServer::~HttpServer() {
  if (server_) server_->stop();
  if (thread_.joinable()) thread_.join();
}

std::string bearer(const httplib::Request& request) {
  const std::string value = request.get_header_value("Authorization");
  constexpr std::string_view kScheme = "Bearer ";
  return value.starts_with(kScheme) ? value.substr(kScheme.size()) : std::string();
}

void answer_json(httplib::Response& response, int status, const std::string& json) {
  response.status = status;
  response.set_content(json + "\n", "application/json");
}

void answer_error(httplib::Response& response, int status, ErrorKind kind, const std::string& sentence) {
  answer_json(response, status, json_text({{"error", to_json(Error{kind, sentence, {}})}}));
}

void answer_error(httplib::Response& response, const Error& error) {
  answer_error(response, status_of(error.kind), error.kind, error.message);
}

}  // namespace tillsync
