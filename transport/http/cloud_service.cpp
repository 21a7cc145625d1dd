#include "transport/http/cloud_service.hpp"

#include <asio/post.hpp>

#include "engine/cloud/import.hpp"
#include "storage/model/row_groups.hpp"
#include "transport/api/errors.hpp"
#include "transport/base/clock.hpp"
#include "transport/http/import/import_stream.hpp"
#include "transport/http/metrics.hpp"

namespace tillsync {

namespace {

constexpr Allowance kRequests{20, 200};  // of one key
constexpr std::size_t kBadShown = 100;   // lines that an answer lists
constexpr const char* kPaths[] = {"/live", "/ready", "/metrics", "/v1/"};

bool known_path(const std::string& path) {
  return std::ranges::any_of(
      kPaths, [&](const std::string& each) { return each.back() == '/' ? path.starts_with(each) : path == each; });
}

}  // namespace

Result<std::unique_ptr<CloudService>> CloudService::start(CloudRuntime& cloud, const HttpSettings& settings) {
  std::unique_ptr<CloudService> out(new CloudService(cloud));
  // Before anything of a body is read: a stranger with a large one costs nothing.
  const auto gate = [service = out.get()](const httplib::Request& request, httplib::Response& response) {
    if (!known_path(request.path)) {
      answer_error(response, 404, ErrorKind::not_found, "there is nothing at " + request.path);
      return false;
    }
    if (request.method == "GET" || request.method == "HEAD") return true;
    const bool import = request.path.starts_with("/v1/rows/"), replay = request.path == "/v1/webhook/replay";
    if (request.method != "POST" || (!import && !replay)) {
      answer_error(response, 405, ErrorKind::invalid, request.method + " is not for " + request.path);
      return false;
    }
    return service->permitted(request, response, import ? Right::import_rows : Right::replay_webhook).has_value();
  };
  auto server =
      HttpServer::start(settings, gate, [service = out.get()](httplib::Server& s) { service->add_routes(s); });
  if (!server) return tl::unexpected(server.error());
  out->server_ = std::move(*server);
  return out;
}

void CloudService::add_routes(httplib::Server& server) {
  using httplib::Request;
  using httplib::Response;
  server.Get("/live", [this](const Request&, Response& out) {
    alive() ? answer_json(out, 200, R"({"live":true})")
            : answer_error(out, 503, ErrorKind::timed_out, "the core does not answer");
  });
  server.Get("/ready", [this](const Request&, Response& out) {
    const auto why = not_ready();
    why ? answer_error(out, 503, ErrorKind::io, *why) : answer_json(out, 200, R"({"ready":true})");
  });
  server.Get("/metrics", [this](const Request& in, Response& out) {
    const auto who = allowed(in, out, Right::read_metrics);
    if (!who) return;
    auto text = cloud_metrics(cloud_, who->tenant);
    if (!text) return answer_error(out, text.error());
    out.set_content(*text, "text/plain; version=0.0.4");
  });
  server.Get("/v1/fleet", [this](const Request& in, Response& out) { serve(in, out, api::FleetRequest{}); });
  server.Get("/v1/conflicts", [this](const Request& in, Response& out) { serve(in, out, api::ConflictsRequest{}); });
  server.Get("/v1/webhook", [this](const Request& in, Response& out) { serve(in, out, api::WebhookShowRequest{}); });
  server.Get("/v1/webhook/aside",
             [this](const Request& in, Response& out) { serve(in, out, api::WebhookAsideRequest{}); });
  server.Post("/v1/webhook/replay", [this](const Request& in, Response& out, const httplib::ContentReader&) {
    serve(in, out, api::WebhookReplayRequest{{}, in.get_param_value("key")});
  });
  server.Get(R"(/v1/rows/([^/]{1,64})/checkpoint)", [this](const Request& in, Response& out) {
    serve(in, out, api::ImportCheckpointRequest{{{}, in.matches[1].str()}, in.get_param_value("group")});
  });
  server.Post(R"(/v1/rows/([^/]{1,64}))", [this](const Request& in, Response& out, const httplib::ContentReader& body) {
    if (const auto who = allowed(in, out, Right::import_rows)) import(*who, in, out, body);
  });
}

std::optional<Operator> CloudService::permitted(const httplib::Request& request, httplib::Response& response,
                                                Right right) {
  std::optional<Result<Operator>> found;
  auto read = cloud_.with_database([&](CloudStore& store) {
    return store.read([&](CloudTxn& txn) -> Result<void> {
      found = find_operator(txn, bearer(request), read_clock().wall_ms);
      return {};
    });
  });
  if (!read) return answer_error(response, read.error()), std::nullopt;
  if (!*found) {
    count({}, Refused::wrong_key);
    response.set_header("WWW-Authenticate", "Bearer");
    return answer_error(response, 401, ErrorKind::refused, found->error().message), std::nullopt;
  }
  const Operator& who = **found;
  if (!may(who.role, right)) {
    count({who.tenant, {}}, Refused::not_allowed);
    answer_error(
        response, 403, ErrorKind::refused,
        std::string("a key with the role ") + name_of(who.role) + " does not have the right " + name_of(right));
    return std::nullopt;
  }
  return who;
}

std::optional<Operator> CloudService::allowed(const httplib::Request& request, httplib::Response& response,
                                              Right right) {
  auto who = permitted(request, response, right);
  if (who && !welcome(*who, response)) who.reset();
  return who;
}

bool CloudService::welcome(const Operator& who, httplib::Response& response) {
  const Instant now = read_clock().mono;
  Duration wait{};
  {
    const std::lock_guard lock(mutex_);
    Meter& meter = requests_[who.id];
    wait = meter.wait(now, kRequests, 1);
    if (wait == Duration::zero()) return meter.take(now, kRequests, 1), true;
  }
  count({who.tenant, {}}, Refused::too_fast);
  const auto seconds = std::max<std::int64_t>(1, (to_ms(wait) + 999) / 1000);
  response.set_header("Retry-After", std::to_string(seconds));
  answer_error(response, 429, ErrorKind::busy,
               "too many requests with this key: come back in " + std::to_string(seconds) + " s");
  return false;
}

void CloudService::import(const Operator& who, const httplib::Request& request, httplib::Response& response,
                          const httplib::ContentReader& body) {
  const std::string group = request.get_param_value("group"), on_bad = request.get_param_value("on_bad");
  if (!on_bad.empty() && on_bad != "skip" && on_bad != "stop")
    return answer_error(response, 400, ErrorKind::invalid, "on_bad is skip or stop");
  const FeedKind feed{group.empty() ? "tenant" : group_feed(group), request.matches[1].str()};
  const BranchKey shop{who.tenant, {}};
  std::string stored;
  auto read = cloud_.with_database([&](CloudStore& store) {
    return store.read(
        [&](CloudTxn& txn) -> Result<void> { return stored = import_checkpoint(txn, shop, feed), Result<void>(); });
  });
  if (!read) return answer_error(response, read.error());
  Json bad = Json::array();
  const auto put = [&](std::vector<ImportRow> rows, const std::string& from,
                       const std::string& to) -> Result<std::uint64_t> {
    return import_batch(who.tenant, {feed, std::move(rows), from, to});
  };
  ImportStream stream({put,
                       [&](std::uint64_t line, const std::string& why) {
                         if (bad.size() < kBadShown) bad.push_back({{"line", line}, {"why", why}});
                       }},
                      stored, on_bad == "stop", request.get_param_value("resume") == "true");
  Result<void> done;
  const bool whole = body([&](const char* data, std::size_t size) {
    done = stream.feed({data, size});
    return done.has_value();
  });
  if (whole && done) done = stream.finish();
  if (stream.left_out() > 0) count(shop, Refused::bad_rows, stream.left_out());
  Json answer{{"rows", stream.rows()},
              {"changed", stream.changed()},
              {"left_out", stream.left_out()},
              {"bad", bad},
              {"resumed_after_line", stream.resumed_after()}};
  if (whole && done) return answer_json(response, 200, json_text(answer));
  if (done) return;  // the sender is gone; what was applied stays, and it may resume
  answer["error"] = to_json(done.error());
  const int status = done.error().kind == ErrorKind::invalid                                             ? 422
                     : done.error().kind == ErrorKind::not_found || done.error().kind == ErrorKind::busy ? 409
                                                                                                         : 503;
  answer_json(response, status, json_text(answer));
}

Result<std::uint64_t> CloudService::import_batch(const std::string& tenant, ImportBatch batch) {
  auto promise = std::make_shared<std::promise<Result<std::uint64_t>>>();
  auto answer = promise->get_future();
  asio::post(cloud_.io(), [&cloud = cloud_, promise, tenant, batch = std::move(batch)]() mutable {
    cloud.import(tenant, std::move(batch),
                 [promise](Result<std::uint64_t> done) { promise->set_value(std::move(done)); });
  });
  return answer.get();
}

template <class R>
void CloudService::serve(const httplib::Request& in, httplib::Response& out, const R& question) {
  using Line = typename api::Find<R, api::CloudQuestions>::Type;
  static_assert(Line::kWho.key == api::Key::of_operator, "an operator's key may ask this");
  const auto who = allowed(in, out, Line::kWho.right);
  if (!who) return;
  const Result<Json> answer = ask(*who, api::question_of(question));
  answer ? answer_json(out, 200, json_text(*answer)) : answer_error(out, answer.error());
}

Result<Json> CloudService::ask(const Operator& who, const Json& question) {
  auto promise = std::make_shared<std::promise<Result<Json>>>();
  auto answer = promise->get_future();
  const api::Asker asker{api::Key::of_operator, who.role, shops_of(who.tenant), who.tenant};
  asio::post(cloud_.io(), [answers = answers_, promise, asker, question] {
    answers->ask(asker, question, [promise](Result<Json> said) { promise->set_value(std::move(said)); });
  });
  return answer.get();
}

std::vector<BranchKey> CloudService::shops_of(const std::string& tenant) {
  return cloud_.ask([&] {
    std::vector<BranchKey> out;
    for (const auto& [shop, roster] : cloud_.core().rosters()) {
      if (shop.tenant == tenant) out.push_back(shop);
    }
    return out;
  });
}

void CloudService::count(const BranchKey& shop, Refused why, std::uint64_t times) {
  asio::post(cloud_.io(), [&cloud = cloud_, shop, why, times] { cloud.core().refusals().count(shop, why, times); });
}

bool CloudService::alive() {
  auto answered = std::make_shared<std::promise<void>>();
  auto answer = answered->get_future();
  asio::post(cloud_.io(), [answered] { answered->set_value(); });
  return answer.wait_for(seconds(5)) == std::future_status::ready;
}

std::optional<std::string> CloudService::not_ready() {
  auto answered = std::make_shared<std::promise<Result<void>>>();
  auto answer = answered->get_future();
  cloud_.on_database(
      [](CloudStore& store) {
        return store.read(
            [](CloudTxn& txn) -> Result<void> { return (void)txn.meta(kGenerationMeta), Result<void>(); });
      },
      [answered, &cloud = cloud_](Result<void> read) {  // it may be read, and have no room
        const auto trouble = cloud.core().status().trouble;
        answered->set_value(read && trouble ? tl::unexpected(*trouble) : std::move(read));
      });
  if (answer.wait_for(seconds(3)) != std::future_status::ready) return "the database does not answer";
  const Result<void> read = answer.get();
  return read ? std::nullopt : std::optional(read.error().message);
}

}  // namespace tillsync
