#include "transport/http/till_service.hpp"

#include <sodium.h>

#include "transport/http/metrics.hpp"

namespace tillsync {

namespace {

std::optional<Status> status_within(TillRuntime& till, Duration time) {
  auto answered = std::make_shared<std::promise<Status>>();
  auto answer = answered->get_future();
  till.post([&till, answered] { answered->set_value(till.status()); });
  return answer.wait_for(time) == std::future_status::ready ? std::optional(answer.get()) : std::nullopt;
}

bool same(const std::string& a, const std::string& b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

Result<std::unique_ptr<HttpServer>> start_till_service(TillRuntime& till, const HttpSettings& settings) {
  if (!settings.certificate.empty() && settings.metrics_key.empty())
    return fail(ErrorKind::invalid,
                "http.metrics_key is missing: whoever reads this till's metrics over the network needs one");
  const auto gate = [key = settings.metrics_key](const httplib::Request& request, httplib::Response& response) {
    const bool known = request.path == "/live" || request.path == "/ready" || request.path == "/metrics";
    if (!known || request.method != "GET") {
      answer_error(response, 404, ErrorKind::not_found, "a till has /live, /ready and /metrics");
      return false;
    }
    if (request.path != "/metrics" || key.empty() || same(key, bearer(request))) return true;
    answer_error(response, 401, ErrorKind::refused,
                 "this till's metrics are read with http.metrics_key of its till.toml");
    return false;
  };
  return HttpServer::start(settings, gate, [&till](httplib::Server& server) {
    server.Get("/live", [&till](const httplib::Request&, httplib::Response& out) {
      status_within(till, seconds(5)) ? answer_json(out, 200, R"({"live":true})")
                                      : answer_error(out, 503, ErrorKind::timed_out, "the core does not answer");
    });
    server.Get("/ready", [&till](const httplib::Request&, httplib::Response& out) {
      const auto status = status_within(till, seconds(3));
      if (status && status->accepting) return answer_json(out, 200, R"({"ready":true})");
      answer_error(
          out, 503, ErrorKind::io,
          status ? "sales are refused: the data disk failed; check it, then restart" : "the core does not answer");
    });
    server.Get("/metrics", [&till](const httplib::Request&, httplib::Response& out) {
      out.set_content(till_metrics(till), "text/plain; version=0.0.4");
    });
  });
}

}  // namespace tillsync
